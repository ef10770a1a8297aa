"""A simulated provider as a process of its own, for several servers: what goes over its socket, and both ends of it."""
