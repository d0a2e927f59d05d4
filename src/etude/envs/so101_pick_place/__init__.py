"""A simulated SO-101 that is to put a block into a bin."""
