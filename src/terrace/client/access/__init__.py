"""How a client gets in: whom it trusts, and as whom it comes."""
