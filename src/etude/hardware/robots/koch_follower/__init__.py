"""The follower arm of a Koch v1.1."""
