"""Torch parts that policies are composed of; they know no dataset, robot or file."""
