"""Serial lines, a folder each."""
