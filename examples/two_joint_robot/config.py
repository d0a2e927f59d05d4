"""Values of the two-joint robot; all of them are those of any arm."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.arm_config import FollowerConfig


@dataclass(frozen=True, kw_only=True)
class Config(FollowerConfig):
    """A camera that turns and nods: two STS3215 servos on one serial port."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(port="sim")
