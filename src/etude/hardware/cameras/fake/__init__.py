"""A camera that needs no hardware."""
