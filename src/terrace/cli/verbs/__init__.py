"""The short verbs of the everyday path: what you do with a stack."""
