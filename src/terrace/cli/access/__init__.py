"""Getting in: which server, whom to trust, as whom."""
