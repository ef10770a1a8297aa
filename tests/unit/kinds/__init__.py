"""Tests of terrace.kinds."""
