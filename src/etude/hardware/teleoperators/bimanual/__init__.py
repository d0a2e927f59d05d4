"""Two teleoperators as one: a left and a right one."""
