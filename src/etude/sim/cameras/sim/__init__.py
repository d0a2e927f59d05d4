"""A camera in the simulated world."""
