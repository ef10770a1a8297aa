"""Use cases about the processes that share the store."""
