"""A serial line into the simulated world."""
