"""Transforms: pure functions from frame to frame, and pipelines of them."""
