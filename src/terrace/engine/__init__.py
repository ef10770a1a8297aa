"""Pure decisions over a stack: what is wanted, what is there, what may run next. Nothing here knows the time
or talks to anybody; clocks, identifiers and randomness are arguments."""
