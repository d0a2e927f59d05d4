"""A robot with two joints: a camera that turns and nods."""
