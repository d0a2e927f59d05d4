"""Robots, a folder each."""
