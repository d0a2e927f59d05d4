"""Feetech serial servos (STS3215): packets, registers and the bus that reads and writes them."""
