"""From a motor's ticks to units and back, per unit, stored in LeRobot's files and with LeRobot's arithmetic."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

import numpy as np

from etude.core.codec import decode
from etude.core.errors import ConfigError
from etude.core.files import write_json

TICKS_PER_TURN = 4096


@dataclass(frozen=True, kw_only=True)
class MotorCalibration:
    """What LeRobot stores of one motor, in ticks."""

    id: int
    drive_mode: int
    """1 turns the sign of a range mode around."""
    homing_offset: int
    """Subtracted from the encoder's value by the motor."""
    range_min: int
    range_max: int


Calibration = dict[str, MotorCalibration]
"""By motor name, in order."""


class Norm(Enum):
    """The units a joint is told in."""

    DEGREES = "degrees"
    """Degrees from the middle of the range."""
    RANGE_M100_100 = "range_m100_100"
    """-100 to 100 over the range."""
    RANGE_0_100 = "range_0_100"
    """0 to 100 over the range."""


def calibration_path(
    kind: Literal["robots", "teleoperators"], name: str, unit: str | None, directory: Path | None = None
) -> Path:
    """Tell where LeRobot keeps the calibration of `unit`; without a name for it, the file is `None.json` as there."""
    return (directory or _calibration_home() / kind / name) / f"{unit}.json"


def _calibration_home() -> Path:
    if stored := os.environ.get("HF_LEROBOT_CALIBRATION"):
        return Path(stored).expanduser()
    if lerobot := os.environ.get("HF_LEROBOT_HOME"):
        return Path(lerobot).expanduser() / "calibration"
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(home).expanduser() / "lerobot" / "calibration"


def load_calibration(path: Path) -> Calibration:
    """Read a calibration file; raise `ConfigError` when it is not one."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"The calibration file {path} cannot be read: {error}. Calibrate again.") from error
    return decode(Calibration, stored, where=f"The calibration file {path}")


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration file as LeRobot does."""
    write_json(path, {motor: asdict(values) for motor, values in calibration.items()}, indent=4)


class Scale:
    """Ticks to units and back, for all joints at once; both are arrays (..., joint).

    `ticks_per_turn` is that of each motor, in order.
    """

    def __init__(
        self,
        calibration: Mapping[str, MotorCalibration],
        norms: Sequence[Norm],
        ticks_per_turn: int | Sequence[int] = TICKS_PER_TURN,
    ) -> None:
        for motor, values in calibration.items():
            if values.range_min >= values.range_max:
                raise ConfigError(
                    f"The calibration of '{motor}' has range_min {values.range_min} and range_max {values.range_max}; "
                    "the first should be less. Calibrate again and move every joint through its whole range."
                )
        motors = list(calibration.values())
        # LeRobot divides a turn by its greatest tick, not by its ticks.
        self._turn = np.asarray(ticks_per_turn, np.float64) - 1
        self._low = np.array([motor.range_min for motor in motors], np.float64)
        self._high = np.array([motor.range_max for motor in motors], np.float64)
        self._is_degrees = np.array([norm is Norm.DEGREES for norm in norms])
        from_zero = np.array([norm is Norm.RANGE_0_100 for norm in norms])
        self._start, self._span = np.where(from_zero, 0.0, -100.0), np.where(from_zero, 100.0, 200.0)
        is_turned = np.array([bool(motor.drive_mode) for motor in motors])
        # Turning -100..100 around is y -> -y, and 0..100 is y -> 100 - y; either is its own inverse.
        self._sign = np.where(is_turned, -1.0, 1.0)
        self._flip = np.where(is_turned & from_zero, 100.0, 0.0)
        self._middle, self._width = (self._low + self._high) / 2, self._high - self._low
        self._end = self._start + self._span

    def to_units(self, ticks: np.ndarray) -> np.ndarray:
        """Give units (float64); range modes clip to the range, degrees do not."""
        degrees = (ticks - self._middle) * 360 / self._turn
        fraction = (np.minimum(np.maximum(ticks, self._low), self._high) - self._low) / self._width
        ranged = self._flip + self._sign * (fraction * self._span + self._start)
        return np.where(self._is_degrees, degrees, ranged)

    def to_ticks(self, units: np.ndarray) -> np.ndarray:
        """Give ticks (int64), truncated as LeRobot does; range modes clip to the range, degrees do not."""
        units = np.asarray(units, np.float64)
        degrees = units * self._turn / 360 + self._middle
        bounded = np.minimum(np.maximum(self._flip + self._sign * units, self._start), self._end)
        ranged = (bounded - self._start) / self._span * self._width + self._low
        return np.trunc(np.where(self._is_degrees, degrees, ranged)).astype(np.int64)

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the least and greatest units (float32) within the calibrated range."""
        ends = np.stack([self.to_units(self._low), self.to_units(self._high)])
        return ends.min(0).astype(np.float32), ends.max(0).astype(np.float32)
