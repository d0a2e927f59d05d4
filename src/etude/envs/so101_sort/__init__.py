"""A simulated SO-101 that is to sort two blocks by colour."""
