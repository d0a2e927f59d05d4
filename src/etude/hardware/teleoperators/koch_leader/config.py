"""Values of a Koch leader, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError
from etude.hardware.arm_config import ArmConfig


@dataclass(frozen=True, kw_only=True)
class Config(ArmConfig):
    """The leader arm of a Koch v1.1: six XL330 servos on one serial port, moved by hand."""

    gripper_open_pos: float = 50.0
    """The gripper springs back to this when the hand lets go of it, 0 (closed) to 100 (open)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.gripper_open_pos <= 100:
            raise ConfigError(f"gripper_open_pos should be from 0 to 100, got {self.gripper_open_pos}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
