"""Values of an SO-101 follower, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.arm_config import FollowerConfig


@dataclass(frozen=True, kw_only=True)
class SoConfig(FollowerConfig):
    """A follower arm of the SO family."""

    position_p_coefficient: int = 16
    """Stiffness of the servos; lower shakes less."""
    position_i_coefficient: int = 0
    """Integral gain of the servos."""
    position_d_coefficient: int = 32
    """Damping of the servos."""


@dataclass(frozen=True, kw_only=True)
class Config(SoConfig):
    """The follower arm of an SO-101: six STS3215 servos on one serial port."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
