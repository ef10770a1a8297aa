"""A stack in memory, and reading it."""
