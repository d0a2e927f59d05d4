"""Values of an SO-101 follower, named as in LeRobot."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """The follower arm of an SO-101: six STS3215 servos on one serial port."""

    port: str = "sim"
    """Serial port, such as /dev/ttyACM0, or `sim` for the simulated arm."""
    id: str | None = None
    """Name of this very arm; its calibration file is called so."""
    calibration_dir: Path | None = None
    """Folder of the calibration file; LeRobot's own when left out."""
    cameras: dict[str, Any] = field(default_factory=dict)
    """Camera configs by name; a simulated arm without any gets `front` and `wrist`."""
    use_degrees: bool = True
    """Whether joints are told in degrees, or else in -100 to 100 over their range; the gripper has 0 to 100."""
    max_relative_target: float | dict[str, float] | None = None
    """How far ahead of where it is a joint may be sent, for all or by motor; no limit when left out."""
    max_speed: float = 240.0
    """How fast the goal of a joint may move [degrees or units per second]."""
    disable_torque_on_disconnect: bool = True
    """Whether the arm goes limp when it is disconnected; it falls unless it rests."""
    position_p_coefficient: int = 16
    """Stiffness of the servos; lower shakes less."""
    position_i_coefficient: int = 0
    """Integral gain of the servos."""
    position_d_coefficient: int = 32
    """Damping of the servos."""
    num_read_retries: int = 2
    """How often a lost answer is asked for again."""

    def __post_init__(self) -> None:
        if self.max_speed <= 0:
            raise ConfigError(f"max_speed should be positive, got {self.max_speed}.")
        if self.num_read_retries < 0:
            raise ConfigError(f"num_read_retries should not be negative, got {self.num_read_retries}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values: the simulated arm."""
        return cls(port="sim")
