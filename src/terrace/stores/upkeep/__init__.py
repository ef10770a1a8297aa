"""What is done to a database as a whole: looked over, copied, put back, moved."""
