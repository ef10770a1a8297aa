"""The functions of HOT: `table.FUNCTIONS` lists them. Each turns a map with one key into a value or an expression
of the engine."""
