"""The particulars of machines: their table of properties, and from it their typed spec."""
