"""LeRobot datasets of formats v2.0 and v2.1: one file per episode, read only."""
