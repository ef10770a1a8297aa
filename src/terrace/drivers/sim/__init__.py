"""A provider that exists only in memory, and virtual time to run it under. It ships, for demos and proofs."""
