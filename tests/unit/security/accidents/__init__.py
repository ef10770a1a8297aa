"""Other people's accidents, one regression test for each, named after it: PRODUCT, number, and what must hold here.

docs/explanation/accidents.md is the table of them; test_table.py sees that none is missing."""
