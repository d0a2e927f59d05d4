"""What a dataset's numbers mean in motor ticks: the calibrations of its arms, beside the frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError, UserError
from etude.hardware.calibration import Calibration, load_calibration, save_calibration

FOLDER = Path("meta/calibration")


def calibrations_of(device: Any) -> Iterator[tuple[str, Calibration]]:
    """Give the calibration of each arm of a connected robot or leader, with a name such as `left_so_follower`."""
    if arm := getattr(device, "arm", None):
        yield arm.kind.name, arm.calibration
    for side in ("left", "right"):
        if part := getattr(device, side, None):
            yield from ((f"{side}_{name}", calibration) for name, calibration in calibrations_of(part))


def keep_calibrations(root: Path, device: Any, num_episodes: int) -> None:
    """Write the calibrations of `device` into the dataset `root`, which holds `num_episodes`, as LeRobot's files.

    One that differs from that of the episodes before gets a file of its own, named after the first episode it is for.
    """
    for name, calibration in calibrations_of(device):
        folder = root / FOLDER
        newest = max(folder.glob(f"{name}-from-*.json"), default=folder / f"{name}.json")
        if not newest.exists():
            save_calibration(newest, calibration)
        elif _held_by(newest) != calibration:
            save_calibration(folder / f"{name}-from-{num_episodes:06d}.json", calibration)


def _held_by(path: Path) -> Calibration | None:
    try:
        return load_calibration(path)
    except ConfigError:
        return None


def check_units(robot: Any, tells_degrees: bool | None, what: str) -> None:
    """Raise `UserError` where `what` certainly tells joints in other units than `robot`: 90 is not 90 there."""
    spoken: bool | None = getattr(robot, "uses_degrees", None)
    if tells_degrees is None or spoken is None or tells_degrees == spoken:
        return
    told, taken = ("degrees", "-100 to 100") if tells_degrees else ("-100 to 100", "degrees")
    raise UserError(
        f"{what} tells joints in {told}, and the robot takes them in {taken}. "
        f"Add --robot.use_degrees={str(tells_degrees).lower()}."
    )
