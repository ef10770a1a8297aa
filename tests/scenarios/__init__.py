"""The whole control plane in one process under virtual time: random faults from seeds, and scenarios with names."""
