"""Where a command goes: found out from flags, environment and files."""
