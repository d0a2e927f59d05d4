"""Simulated demonstrators, a folder each."""
