"""What every LeRobot dataset format has in common: its header, its tables, and reading them."""
