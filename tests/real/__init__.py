"""Tests on real parts: a Docker engine of our own, started for the session and removed after it."""
