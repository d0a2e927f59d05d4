"""A peg to put into a hole."""
