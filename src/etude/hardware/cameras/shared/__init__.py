"""Cameras that another process has open."""
