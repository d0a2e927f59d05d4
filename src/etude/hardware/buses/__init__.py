"""Motor buses, a folder each."""
