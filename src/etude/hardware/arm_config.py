"""Values that all arms share, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ArmConfig:
    """An arm on a serial port."""

    port: str = "sim"
    """Serial port, such as /dev/ttyACM0, or `sim` for the simulated arm."""
    id: str | None = None
    """Name of this very arm; its calibration file is called so."""
    calibration_dir: Path | None = None
    """Folder of the calibration file; LeRobot's own when left out."""
    num_read_retries: int = 2
    """How often a lost answer is asked for again."""

    def __post_init__(self) -> None:
        if self.num_read_retries < 0:
            raise ConfigError(f"num_read_retries should not be negative, got {self.num_read_retries}.")


@dataclass(frozen=True, kw_only=True)
class FollowerConfig(ArmConfig):
    """An arm that is driven."""

    cameras: dict[str, Any] | None = None
    """Camera configs by name. Default: `front` and `wrist` for a simulated arm, none for a real one."""
    use_degrees: bool = True
    """Whether joints are told in degrees, or else in -100 to 100 over their range; the gripper has 0 to 100."""
    max_relative_target: float | dict[str, float] | None = None
    """How far ahead of where it is a joint may be sent, for all or by motor; no limit when left out."""
    max_speed: float = 240.0
    """How fast the goal of a joint may move [degrees or units per second]."""
    table_height_m: float | None = -0.01
    """No part of the hand may be sent below this, from the arm's own base, where its body is known; none for anywhere.
    A little under the table: a loaded arm hangs lower than it is sent."""
    stale_s: float = 0.5
    """Without a new action for so long, the arm holds still; the next action starts gently."""
    rest_pose: dict[str, float] | None = None
    """Where the arm goes before it is let go, by motor, in the robot's units; its make's own pose when left out, and
    `{}` lets it go where it is. A simulated arm does not go there: nothing breaks when it falls."""
    disable_torque_on_disconnect: bool = True
    """Whether the arm goes to rest and limp when it is disconnected; otherwise it holds where it is."""
    guardian: bool = True
    """Whether a process of its own stands by, which lowers a real arm and lets it go should this process die."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_speed", "stale_s"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} should be positive, got {getattr(self, name)}.")
