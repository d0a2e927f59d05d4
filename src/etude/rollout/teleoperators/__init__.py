"""Teleoperators that need a dataset."""
