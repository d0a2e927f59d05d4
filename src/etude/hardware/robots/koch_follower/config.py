"""Values of a Koch follower, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.arm_config import FollowerConfig


@dataclass(frozen=True, kw_only=True)
class Config(FollowerConfig):
    """The follower arm of a Koch v1.1: two XL430 and four XL330 servos on one serial port."""

    use_degrees: bool = False
    """Whether joints are told in degrees, or else in -100 to 100 over their range; the gripper has 0 to 100."""
    table_height_m: float | None = None
    """No part of the hand may be sent below this, from the arm's own base; off, since two of the Koch's joints turn
    without stops, and how they were mounted decides where its hand is."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
