"""How the driver talks to the engine: requests, streams, hijacked connections, and what its errors mean."""
