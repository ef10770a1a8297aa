"""What all nouns share: reading values against a table of properties, differences, and the plain way to
decide."""
