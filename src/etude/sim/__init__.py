"""Simulated hardware: MuJoCo worlds, servos that speak the real protocol, cameras, demonstrators."""
