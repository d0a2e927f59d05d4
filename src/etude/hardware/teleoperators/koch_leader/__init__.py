"""The leader arm of a Koch v1.1."""
