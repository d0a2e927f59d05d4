"""Cameras, a folder each."""
