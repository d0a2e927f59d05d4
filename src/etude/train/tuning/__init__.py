"""Search for the values of a training run that do best."""
