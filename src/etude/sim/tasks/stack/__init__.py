"""A block to put on another."""
