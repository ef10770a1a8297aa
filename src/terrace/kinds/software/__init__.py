"""Software for guests: configurations, what is run inside machines, and Heat's names for both."""
