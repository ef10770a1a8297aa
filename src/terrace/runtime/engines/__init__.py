"""Many engines on one store: who is alive, who works on which stack, who lists which provider."""
