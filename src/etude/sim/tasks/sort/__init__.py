"""Two blocks to sort by colour."""
