"""A gamepad drives an arm."""
