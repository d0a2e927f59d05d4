"""LeRobot datasets of format v3.0: many episodes per file, read and written."""
