"""What Terrace makes by itself, without any provider: random strings, key pairs, values, delays."""
