"""Values of a Koch follower, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.arm_config import FollowerConfig


@dataclass(frozen=True, kw_only=True)
class Config(FollowerConfig):
    """The follower arm of a Koch v1.1: two XL430 and four XL330 servos on one serial port."""

    use_degrees: bool = False
    """Whether joints are told in degrees, or else in -100 to 100 over their range; the gripper has 0 to 100."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
