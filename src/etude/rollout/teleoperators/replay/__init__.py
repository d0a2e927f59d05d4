"""A recorded episode that drives."""
