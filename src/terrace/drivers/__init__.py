"""Doors to outside systems: one folder each; no driver knows another."""
