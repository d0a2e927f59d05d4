"""Values of two teleoperators as one, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etude.hardware import teleoperators
from etude.hardware.sides import side_config


@dataclass(frozen=True, kw_only=True)
class Config:
    """Two teleoperators as one: any two plugins, such as two SO-101 leaders, each with its own options."""

    id: str | None = None
    """Name of the pair; the arms are called so with `_left` and `_right` after it."""
    calibration_dir: Path | None = None
    """Folder of the calibration files; LeRobot's own when left out."""
    left_arm_config: dict[str, Any] = field(default_factory=lambda: {"type": "so101_leader", "port": "sim:left"})
    """The left teleoperator: `type` and its options, such as {type: so101_leader, port: /dev/ttyACM0}."""
    right_arm_config: dict[str, Any] = field(default_factory=lambda: {"type": "so101_leader", "port": "sim:right"})
    """The right teleoperator."""

    def __post_init__(self) -> None:
        self.sides()

    def sides(self) -> tuple[Any, Any]:
        """Give the configs of the left and the right teleoperator."""
        shared: dict[str, Any] = {"pair": self.id, "calibration_dir": self.calibration_dir}
        left = side_config(teleoperators, self.left_arm_config, "left", **shared)
        return left, side_config(teleoperators, self.right_arm_config, "right", **shared)

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: two fake teleoperators."""
        one: dict[str, Any] = {"type": "fake", "num_joints": 2, "num_ticks": 4}
        return cls(left_arm_config=one, right_arm_config=one)
