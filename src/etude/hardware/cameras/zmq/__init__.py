"""Cameras on another computer, in the messages of the LeRobot image server."""
