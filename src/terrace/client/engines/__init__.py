"""The processes that share the store, as a client sees them."""
