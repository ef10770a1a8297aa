"""What the server tells of itself: log lines and measurements."""
