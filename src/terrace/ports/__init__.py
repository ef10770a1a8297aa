"""What the runtime needs from the outside, as Protocols. No implementation lives here."""
