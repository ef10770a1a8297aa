"""Templates written for Heat, brought up on a real engine and asked to do what they are for."""
