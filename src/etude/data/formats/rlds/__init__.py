"""Datasets in the RLDS layout of TensorFlow Datasets, read without TensorFlow."""
