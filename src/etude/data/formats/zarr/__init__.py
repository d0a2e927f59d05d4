"""Datasets in the Zarr layout of Diffusion Policy: all frames in a row, and where each episode ends."""
