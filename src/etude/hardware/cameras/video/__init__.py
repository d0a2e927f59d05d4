"""Recorded films, played as if a camera saw them."""
