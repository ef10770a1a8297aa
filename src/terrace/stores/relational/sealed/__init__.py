"""Data keys in tables, and sealing everything anew."""
