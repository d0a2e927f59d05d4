"""Values of an SO-101 leader, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.arm_config import ArmConfig


@dataclass(frozen=True, kw_only=True)
class Config(ArmConfig):
    """The leader arm of an SO-101: six STS3215 servos on one serial port, moved by hand."""

    use_degrees: bool = True
    """Whether joints are told in degrees, or else in -100 to 100 over their range; the gripper has 0 to 100."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
