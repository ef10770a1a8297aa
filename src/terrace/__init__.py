"""Terrace: write down what should exist; it comes up, and stays so."""

__version__ = "0.1.0"
