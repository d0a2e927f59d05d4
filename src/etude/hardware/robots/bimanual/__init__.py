"""Two robots as one: a left and a right one."""
