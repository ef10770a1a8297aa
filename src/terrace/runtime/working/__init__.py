"""The stacks at work in one process, how it shares them with others, and how those that are not here can be seen."""
