"""Networks: what stands on them, what may pass between machines, and the ways between networks and out."""
