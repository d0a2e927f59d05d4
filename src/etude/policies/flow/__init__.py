"""Flow policy."""
