"""Simulated Dynamixel servos of the X series: memory, firmware, motor, and the wire they share."""
