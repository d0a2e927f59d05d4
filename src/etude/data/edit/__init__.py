"""Changing datasets: an edit is a plan of what is kept, and a new version of the dataset is built from it."""
