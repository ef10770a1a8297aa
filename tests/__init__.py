"""Tests mirror the house: unit, properties, cases, contracts, scenarios, and real parts."""
