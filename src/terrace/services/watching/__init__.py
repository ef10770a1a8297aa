"""Following what happens, however many do."""
