"""What the driver runs inside guests on a template's behalf."""
