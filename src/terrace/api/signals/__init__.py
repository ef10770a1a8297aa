"""Signals over HTTP: the doors that guests knock at, and what people say of them."""
