"""Simulated cameras, a folder each."""
