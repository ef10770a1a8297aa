"""What is kept for projects: their secrets, and how much they may have."""
