"""Ways in: signals to single resources of a stack, and sessions of people."""
