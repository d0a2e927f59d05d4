"""Firmware and motors of simulated servos, a folder for each family."""
