"""Three engines and two servers that only answer, on one PostgreSQL, each a process in a network of its own."""
