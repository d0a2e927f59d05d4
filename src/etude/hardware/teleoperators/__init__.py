"""Teleoperators, a folder each."""
