"""What remembers: stores behind one port, and the sealing of what must not be read in them."""
