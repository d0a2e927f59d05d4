"""Cameras on the network that send JPEG pictures over HTTP."""
