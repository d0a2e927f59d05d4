"""Datasets in the HDF5 layout of ALOHA and ACT: a file per episode."""
