"""A simulated SO-101 that is to push a puck into a circle."""
