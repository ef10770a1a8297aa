"""One turn of a stack: taking in what came, deciding, making intents."""
