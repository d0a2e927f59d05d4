"""The leader arm of an SO-100."""
