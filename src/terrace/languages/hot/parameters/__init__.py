"""Parameters: how they are declared, and which values fit them."""
