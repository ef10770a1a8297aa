"""Commands about people: who there is, what they may do, and what they did."""
