"""A block to put into a bin."""
