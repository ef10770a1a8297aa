"""Stores and servers on a real PostgreSQL."""
