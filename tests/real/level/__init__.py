"""Terrace as a user has it, on a real engine: a server process, the command line, and what is really there."""
