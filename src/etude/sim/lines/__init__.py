"""Simulated serial lines, a folder each."""
