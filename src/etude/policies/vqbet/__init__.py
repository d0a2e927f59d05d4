"""Behaviour transformer with vector-quantised actions."""
