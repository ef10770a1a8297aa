"""Things that are listed and managed: one noun in each file."""
