"""Etude teaches a robot a skill by showing it."""

__version__ = "0.1.0"
