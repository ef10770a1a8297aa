"""What is said to single resources of a stack from outside."""
