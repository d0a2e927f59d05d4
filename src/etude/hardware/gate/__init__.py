"""The safety gate: every action passes it on the way to the motors."""

from etude.hardware.gate.gate import START_ACCELERATION, START_SPEED, Gate
from etude.hardware.gate.table import Table

__all__ = ["START_ACCELERATION", "START_SPEED", "Gate", "Table"]
