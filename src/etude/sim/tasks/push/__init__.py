"""A puck to push to a target."""
