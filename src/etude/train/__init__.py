"""Training a policy on a dataset, and scoring it."""
