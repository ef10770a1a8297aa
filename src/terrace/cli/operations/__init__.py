"""Commands that do something with a stack besides changing its template."""
