"""Dataset formats, a folder each."""
