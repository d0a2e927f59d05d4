"""`etude calibrate`: an arm learns how far its joints turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import say
from etude.cli.slots import Slot
from etude.core.errors import UserError
from etude.hardware import robots, teleoperators

if TYPE_CHECKING:
    from etude.hardware.arm import Arm


_RETRIES = 30


@dataclass(frozen=True, kw_only=True)
class Calibrate:
    """Calibrate an arm: --robot.type=... --robot.port=... --robot.id=NAME, or the same with --teleop for a leader.

    You move every joint to both of its ends, then hold the arm in its middle pose. Nothing is stored before the end.
    """

    robot: Annotated[Any, Slot(robots, "so101_follower", is_optional=True)] = None
    """The follower to calibrate."""
    teleop: Annotated[Any, Slot(teleoperators, "so101_leader", is_optional=True)] = None
    """The leader to calibrate."""
    auto: bool = False
    """Let an SO-100 or SO-101 follower find its stops by itself, slowly and weakly."""
    list: bool = False
    """Show the calibrations the arm has had."""
    undo: bool = False
    """Go back to the calibration before."""
    restore: str | None = None
    """Go back to the calibration of this date, as --list shows it."""
    compare: bool = False
    """With --robot and --teleop: hold both arms in the same pose, and see whether they agree."""


COMMAND = Calibrate


def run(command: Calibrate) -> int:
    """Run the calibration in the terminal, or do with stored ones what was asked for."""
    from etude.cli import calibration_steps as doing

    if command.compare:
        if command.robot is None or command.teleop is None:
            raise UserError("--compare needs both arms: --robot.port=... and --teleop.port=..., each with its id.")
        return doing.compare(_arm(robots, command.robot), _arm(teleoperators, command.teleop))
    if (command.robot is None) == (command.teleop is None):
        raise UserError(
            "Which arm? Give --robot.type=so101_follower --robot.port=... --robot.id=NAME, "
            "or the same with --teleop for a leader; not both."
        )
    registry, config = (robots, command.robot) if command.teleop is None else (teleoperators, command.teleop)
    if hasattr(config, "sides"):
        raise UserError(
            "Calibrate the two arms one after the other, each with its own type and port, as NAME_left and NAME_right."
        )
    path = _path(registry, config)
    if command.list:
        return _show(path)
    arm = _arm(registry, config)
    if command.undo or command.restore:
        return doing.go_back(arm, path, command.restore)
    return doing.calibrate(arm, config, path, is_automatic=command.auto)


def _arm(registry: Any, config: Any) -> Arm:
    """Build the device, and give the arm in it."""
    if hasattr(config, "num_read_retries"):  # nothing is in a hurry here, and what is done would be lost
        config = replace(config, num_read_retries=max(config.num_read_retries, _RETRIES))
    arm = getattr(registry.build(config), "arm", None)
    if arm is None:
        raise UserError(f"'{registry.name_of(config)}' needs no calibration: it has no motors of its own.")
    return arm


def _path(registry: Any, config: Any) -> Path:
    from etude.hardware.arm_calibration import path_of
    from etude.hardware.discover import arm_kinds

    name = registry.name_of(config)
    kind = arm_kinds().get(name) or getattr(_arm(registry, config), "kind", None)
    if kind is None:
        raise UserError(f"'{name}' needs no calibration: it has no motors of its own.")
    return path_of(kind, config)


def _show(path: Path) -> int:
    from etude.hardware.calibrating import versions

    found = versions(path)
    for version in found:
        print(f"{version.stamp}{'  in use' if version.is_current else ''}")
    if not found:
        say(f"There are none: {path} was never written by etude.")
    return 0
