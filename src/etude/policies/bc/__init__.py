"""Behaviour cloning by a convolutional network."""
