"""A simulated SO-101 that is to put a peg into a hole."""
