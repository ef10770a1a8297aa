"""Following work until it is done: one line per change, or a live tree on a terminal."""
