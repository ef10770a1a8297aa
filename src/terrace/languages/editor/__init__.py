"""What people and their editors need besides compiling: which functions and types there are, a JSON Schema of
documents, and one way to lay them out."""
