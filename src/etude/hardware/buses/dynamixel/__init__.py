"""Dynamixel servos of the X series, protocol 2.0: packets, registers and the bus that reads and writes them."""
