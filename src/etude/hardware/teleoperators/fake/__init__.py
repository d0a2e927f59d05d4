"""A demonstration that needs no person."""
