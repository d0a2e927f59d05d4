"""Dynamixel servos by what is inside: motor, gears, modes, and what their factory writes.

Speed and torque are those of ROBOTIS's data sheets: the torque constant follows from the speed without load, the
resistance from the torque at stall. Friction is left to the joint, and what a servo draws is its share of the stall
current.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from etude.hardware.buses.dynamixel.registers import XL430_FACTORY


class Mode(IntEnum):
    """Values of Operating_Mode."""

    CURRENT = 0
    VELOCITY = 1
    POSITION = 3
    EXTENDED_POSITION = 4
    CURRENT_POSITION = 5
    PWM = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One kind of servo."""

    name: str
    """As LeRobot spells it."""
    number: int
    supply_v: float
    no_load_rad_s: float
    stall_nm: float
    stall_a: float
    modes: frozenset[int] = frozenset(Mode)
    registers: Mapping[str, int] = field(default_factory=dict)
    """What the factory writes otherwise than into an XL330-M288."""

    @property
    def kt(self) -> float:
        """Back-EMF constant at the output shaft [Vs/rad]."""
        return self.supply_v / self.no_load_rad_s

    @property
    def resistance(self) -> float:
        """What limits the torque at stall [ohm]."""
        return self.kt * self.supply_v / self.stall_nm

    @property
    def senses_current(self) -> bool:
        """Whether it measures current; others tell their load in its place."""
        return Mode.CURRENT in self.modes


_WITHOUT_CURRENT = frozenset(Mode) - {Mode.CURRENT, Mode.CURRENT_POSITION}

XL330_M288 = Model(
    name="xl330-m288", number=1200, supply_v=5.0, no_load_rad_s=10.79, stall_nm=0.52, stall_a=1.47
)  # fmt: skip
XL330_M077 = Model(
    name="xl330-m077",
    number=1190,
    supply_v=5.0,
    no_load_rad_s=40.1,
    stall_nm=0.215,
    stall_a=1.47,
    registers={"Model_Number": 1190, "Velocity_Limit": 1620},
)
XL430_W250 = Model(
    name="xl430-w250",
    number=1060,
    supply_v=12.0,
    no_load_rad_s=6.39,
    stall_nm=1.5,
    stall_a=1.4,
    modes=_WITHOUT_CURRENT,
    registers=XL430_FACTORY,
)
