"""Datasets in the HDF5 layout of robomimic: all episodes in one file."""
