"""A robot that needs no hardware."""
