"""A simulated SO-101 that is to put one block on another."""
