"""Values of an SO-100 follower, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.hardware.robots.so101_follower.config import SoConfig


@dataclass(frozen=True, kw_only=True)
class Config(SoConfig):
    """The follower arm of an SO-100: six STS3215 servos on one serial port."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
