"""Simulated Feetech servos: memory, firmware, motor, and the wire they share."""
