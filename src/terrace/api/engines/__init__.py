"""The faces of the processes that share the store."""
