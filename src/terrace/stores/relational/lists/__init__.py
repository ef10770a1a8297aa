"""Long lists in tables: a page at a time, and only what was asked for."""
