"""Where a calibration is kept: in the motors and in LeRobot's file, both or neither, and every one there ever was."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from etude.core.errors import DeviceError, NotFound
from etude.hardware.arm_calibration import read
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibration import Calibration, load_calibration, save_calibration

_FOLDER = "versions"
"""Beside the files, where LeRobot does not look."""
_STAMP = "%Y-%m-%dT%H-%M-%S"


@dataclass(frozen=True, kw_only=True)
class Version:
    """A calibration that an arm had, and since when."""

    stamp: str
    """Universal time, such as 2026-11-21T14-55-03."""
    path: Path
    is_current: bool
    """Whether it is the one in use."""


def keep(kind: ArmKind, bus: MotorBus, path: Path, calibration: Calibration, *, now: datetime | None = None) -> None:
    """Write a calibration to the motors and to the file at `path`; raise `DeviceError` when either failed.

    Then, and where it is interrupted, the motors hold what they held before, as far as they can be reached, and the
    file is the one there was.
    """
    before = read(kind, bus)
    try:
        _write(kind, bus, calibration)
        _save(path, calibration, now or datetime.now(UTC))
    except KeyboardInterrupt:
        with suppress(DeviceError):
            _write(kind, bus, before)
        raise
    except (DeviceError, OSError) as problem:
        try:
            _write(kind, bus, before)
        except DeviceError:
            left = "The motors could not be given back what they held before: calibrate again before the arm is used."
        else:
            left = "The motors hold what they held before."
        raise DeviceError(f"The calibration could not be stored. {problem} {left}") from problem


def versions(path: Path) -> list[Version]:
    """List every calibration that the arm with the file at `path` had, the newest first."""
    current = load_calibration(path) if path.exists() else None
    found = sorted((path.parent / _FOLDER / path.stem).glob("*.json"), reverse=True)
    listed = [(one, load_calibration(one)) for one in found]
    newest = next((one for one, calibration in listed if calibration == current), None)
    return [Version(stamp=one.stem, path=one, is_current=one == newest) for one, _ in listed]


def restore(kind: ArmKind, bus: MotorBus, path: Path, stamp: str | None = None, *, now: datetime | None = None) -> str:
    """Take up the calibration of `stamp` again, or the newest that is not in use; give its stamp."""
    older = [version for version in versions(path) if not version.is_current]
    if stamp is not None:
        older = [version for version in older if version.stamp == stamp]
    if not older:
        known = [version.stamp for version in versions(path)]
        raise NotFound("older calibration", stamp or path.stem, known)
    chosen = older[0]
    keep(kind, bus, path, load_calibration(chosen.path), now=now)
    return chosen.stamp


def _write(kind: ArmKind, bus: MotorBus, calibration: Calibration) -> None:
    """Write to the motors, torque off, and see whether they hold it."""
    for motor, values in calibration.items():
        bus.write("Torque_Enable", motor, 0, despite_faults=True)
        if kind.drive_modes is not None:
            bus.write("Drive_Mode", motor, bus.read("Drive_Mode", motor) & ~1 | values.drive_mode)
        bus.write("Homing_Offset", motor, values.homing_offset)
        bus.write("Min_Position_Limit", motor, values.range_min)
        bus.write("Max_Position_Limit", motor, values.range_max)
    held = read(kind, bus)
    for motor, values in calibration.items():
        wanted = values if kind.drive_modes is not None else replace(values, drive_mode=held[motor].drive_mode)
        if held[motor] != wanted:
            raise DeviceError(
                f"'{motor}' on {bus.line.name} was given {_told(wanted)} and holds {_told(held[motor])}. "
                "Check its power supply, then calibrate again."
            )


def _told(values: object) -> str:
    return str(values).partition("(")[2].rstrip(")")


def _save(path: Path, calibration: Calibration, now: datetime) -> None:
    """Write the file and its dated copy; a file that was not ours is copied first, so that it is not lost."""
    folder = path.parent / _FOLDER / path.stem
    if path.exists():
        with suppress(ValueError):  # a file that cannot be read is no calibration to go back to
            if not any(load_calibration(one) == load_calibration(path) for one in folder.glob("*.json")):
                changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                save_calibration(_free_name(folder, changed), load_calibration(path))
    save_calibration(_free_name(folder, now), calibration)
    save_calibration(path, calibration)


def _free_name(folder: Path, now: datetime) -> Path:
    stamp = now.strftime(_STAMP)
    names = (f"{stamp}{f'-{number}' if number else ''}.json" for number in range(1000))
    return next(folder / name for name in names if not (folder / name).exists())
