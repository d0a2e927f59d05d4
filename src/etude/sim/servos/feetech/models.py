"""Feetech servos by what is inside: gears, motor, and the registers in which they differ.

Torque constant and resistance of the STS3215-C001 (1:345, 7.4 V) were identified by Rhoban's BAM on a pendulum; the
gears of a leader scale them. Those of the 12 V servos follow from the data sheets' speed and stall current, roughly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One kind of servo."""

    name: str = "sts3215"
    """As LeRobot spells it."""
    kt: float = 1.21164
    """Torque constant at the output shaft [Nm/A], which is also the back-EMF constant [Vs/rad]."""
    resistance: float = 2.67617
    """[ohm]"""
    stall_nm: float = 1.91
    """Of the data sheet; the identified law alone would give 3.25 Nm."""
    supply_v: float = 7.4
    registers: Mapping[str, int] = field(default_factory=dict)
    """What the factory writes otherwise than on an STS3215 of 7.4 V."""

    def geared(self, ratio: float) -> Model:
        """Give the same motor with gears of 1:`ratio` instead of 1:345."""
        share = ratio / 345
        return replace(self, kt=self.kt * share, stall_nm=self.stall_nm * share)


C001 = Model()
"""STS3215, 1:345: the SO-100 and SO-101 follower, and the shoulder lift of a SO-101 leader."""
C044 = C001.geared(191)
C046 = C001.geared(147)
C018 = Model(kt=2.47, resistance=4.4, stall_nm=2.94, supply_v=12.0, registers={"Max_Voltage_Limit": 140})
"""STS3215, 1:345, 12 V."""
STS3250 = Model(
    name="sts3250",
    kt=1.48,
    resistance=4.4,
    stall_nm=4.9,
    supply_v=12.0,
    registers={"Model_Number": 2825, "Max_Voltage_Limit": 140},
)
SCS0009 = Model(name="scs0009", kt=0.57, resistance=8.0, stall_nm=0.226, supply_v=6.0)
"""2.3 kgcm, 0.1 s for 60 degrees at 6 V."""
