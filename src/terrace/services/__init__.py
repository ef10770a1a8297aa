"""Use cases: what people and programs can ask Terrace for, each through the gate."""
