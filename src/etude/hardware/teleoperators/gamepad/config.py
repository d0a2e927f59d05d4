"""Values of the gamepad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError
from etude.hardware.teleoperators.steps import StepConfig

NUM_JOINTS = 5
"""Joints that sticks and the cross can turn, besides the gripper."""

Button = Literal[
    "rightshoulder", "leftshoulder", "a", "b", "x", "y", "leftstick", "rightstick", "start", "back", "guide", "none"
]


@dataclass(frozen=True, kw_only=True)
class Config(StepConfig):
    """Drives an arm with the sticks of a gamepad, while its dead-man button is held."""

    name: str = ""
    """Part of the gamepad's name, where there are several; the first one if empty."""
    dead_zone: float = 0.12
    """How far a stick is off its middle before it counts, 0 to 1; worn sticks need more."""
    dead_man: Button = "rightshoulder"
    """The button without which nothing moves."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.dead_zone < 1:
            raise ConfigError(f"dead_zone should be from 0 to less than 1, got {self.dead_zone}.")
        turned = [joint for joint in self.joints if joint != self.gripper]
        if self.mode == "joints" and len(turned) > NUM_JOINTS:
            raise ConfigError(
                f"A gamepad turns up to {NUM_JOINTS} joints and a gripper, got {len(turned)} joints: "
                f"{', '.join(turned)}. Name those to be turned with --teleop.joints, or use --teleop.type=keyboard."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(mode="joints", joints=("joint_0", "joint_1"), gripper="")
