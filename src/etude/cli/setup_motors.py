"""`etude setup-motors`: the motors of a new arm get their ids, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from etude.cli.console import say
from etude.cli.slots import Slot
from etude.core.errors import DeviceError, EtudeError, UserError
from etude.hardware import robots, teleoperators

if TYPE_CHECKING:
    from etude.cli.answers import Answers
    from etude.hardware.arm_kind import ArmKind
    from etude.hardware.buses.search import FoundMotor


@dataclass(frozen=True, kw_only=True)
class SetupMotors:
    """Give the motors of a new arm their ids: connect one at a time, the gripper's first.

    A motor that is right already is left alone, so this can be broken off and taken up again.
    """

    robot: Annotated[Any, Slot(robots, "so101_follower", is_optional=True)] = None
    """The follower whose motors are set up: --robot.type=... --robot.port=..."""
    teleop: Annotated[Any, Slot(teleoperators, "so101_leader", is_optional=True)] = None
    """The leader whose motors are set up."""
    start: str | None = None
    """Begin with this motor; those before it are done."""


COMMAND = SetupMotors


def run(command: SetupMotors) -> int:
    """Ask for one motor after the other and set it up."""
    from etude.cli.answers import Answers
    from etude.hardware.discover import arm_kinds

    if (command.robot is None) == (command.teleop is None):
        raise UserError("Which arm? Give --robot.type=so101_follower --robot.port=..., or the same with --teleop.")
    registry, config = (robots, command.robot) if command.teleop is None else (teleoperators, command.teleop)
    kind = arm_kinds().get(registry.name_of(config))
    if kind is None:
        raise UserError(f"'{registry.name_of(config)}' is not one arm with motors of its own: name an arm's type.")
    answers = Answers()
    for motor in _order(kind, command.start):
        _one(kind, config.port, motor, answers)
    say("All motors are set up. Connect them all in a row, then: etude calibrate")
    return 0


def _order(kind: ArmKind, start: str | None) -> list[str]:
    order = list(kind.motors)[::-1]
    if start is None:
        return order
    if start not in order:
        raise UserError(f"--start={start} is no motor of this arm: {', '.join(order)}.")
    return order[order.index(start) :]


def _one(kind: ArmKind, port: str, motor: str, answers: Answers) -> None:
    """Ask for `motor` until it is the only one there and of the right model, then give it its id."""
    wanted = kind.motors[motor]
    while True:
        say(f"Connect only the motor for '{motor}' (id {wanted.id}) to the adapter, give it power, and press Enter.")
        answers.wait()
        try:
            found = _only_motor(kind, port)
            if found.model != wanted.model:
                known = found.model or f"model number {found.model_number}"
                raise DeviceError(f"This is a {known}; '{motor}' needs a {wanted.model}.")
            _set_up(kind, port, motor, found)
        except EtudeError as problem:
            say(f"Not yet: {problem}")
            continue
        return


def _only_motor(kind: ArmKind, port: str) -> FoundMotor:
    from etude.hardware import buses
    from etude.hardware.buses.search import find_motors

    bus = buses.build(buses.config(kind.bus)(port=port, body=kind.body, is_leader=kind.is_leader), {})
    bus.open()
    try:
        found = find_motors(bus)
    finally:
        bus.close()
    if not found:
        raise DeviceError(
            "No motor answers at any baud rate. Check the cable between adapter and motor, and the power."
        )
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise DeviceError(f"{len(found)} motors answer (ids {ids}). Unplug all but one.")
    return found[0]


def _set_up(kind: ArmKind, port: str, motor: str, found: FoundMotor) -> None:
    from etude.hardware import buses
    from etude.hardware.bus import Motor

    wanted = kind.motors[motor]
    if (found.id, found.baud_rate) == (wanted.id, kind.baud_rate):
        say(f"'{motor}' has id {wanted.id} already.")
        return
    config = buses.config(kind.bus)(port=port, baud_rate=found.baud_rate, body=kind.body, is_leader=kind.is_leader)
    bus = buses.build(config, {motor: Motor(id=found.id, model=found.model)})
    bus.open()
    try:
        bus.write("Torque_Enable", motor, 0, despite_faults=True)
        bus.write("ID", motor, wanted.id)
        bus.write("Baud_Rate", motor, bus.baud_rates[kind.baud_rate])
        bus.ping(motor)
    finally:
        bus.close()
    say(f"'{motor}' has id {wanted.id} now (it had {found.id} at {found.baud_rate} baud).")
