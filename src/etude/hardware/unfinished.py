"""What motors held before something that changes them for a while.

It is kept in a file, so that a process that dies in the middle, or a computer, leaves them to be put right by the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from etude.core.clock import Clock
from etude.core.codec import decode
from etude.core.errors import ConfigError, DeviceError
from etude.core.files import read_json, write_json
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.names import devices_path, known_arm_at

_KEPT = ("Homing_Offset", "Min_Position_Limit", "Max_Position_Limit")
"""Outlive a power cycle."""
_FLEETING = ("Goal_Velocity", "Torque_Limit")
_NOTICE_S = 0.03
"""How long a motor takes, amply, until its position is told with a new offset."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What the motors of an arm held."""

    kind: str
    """Its make, such as `so_follower`."""
    motors: dict[str, dict[str, int]]
    """Registers by motor."""


def note(kind: ArmKind, bus: MotorBus) -> Held:
    """Read what the motors hold and keep it in a file until `forget`; a simulated arm needs none, it dies, too."""
    read = {name: bus.sync_read(name) for name in (*_KEPT, *_FLEETING)}
    motors = {motor: {name: values[motor] for name, values in read.items()} for motor in kind.motors}
    held = Held(kind=kind.name, motors=motors)
    if bus.line.scene is None:
        write_json(_path(bus), asdict(held))
    return held


def forget(bus: MotorBus) -> None:
    """Remove the file, if there is one."""
    if bus.line.scene is None:
        _path(bus).unlink(missing_ok=True)


def give_back(bus: MotorBus, clock: Clock, held: Held) -> bool:
    """Give the motors what they held, none of them jumping; those that are on hold. Tell whether all were reached."""
    missed = 0
    for motor, values in held.motors.items():
        try:
            _give_back(bus, clock, motor, values)
        except DeviceError:
            missed += 1
    return not missed


def mend(kind: ArmKind, bus: MotorBus, clock: Clock) -> bool:
    """Put right what a process that died has left in the motors on an open `bus`; tell whether there was anything.

    Only motors that are as they were before, or free to turn all the way, are touched: others were set up since.
    """
    if bus.line.scene is not None or not (path := _path(bus)).exists():
        return False
    held = _stored(path)
    is_ours = held is not None and held.kind == kind.name and set(held.motors) == set(kind.motors)
    was_left = is_ours and held is not None and _is_left_so(bus, held)
    if was_left and held is not None and not give_back(bus, clock, held):
        raise DeviceError(
            f"A calibration of the arm on {bus.line.name} was cut short, and its motors could not be given back what "
            "they held before. Check cables and power supply, then connect again."
        )
    path.unlink(missing_ok=True)
    return was_left


def _stored(path: Path) -> Held | None:
    with suppress(ConfigError):
        return decode(Held, read_json(path, lambda path, problem: ConfigError(f"{path} {problem}")), where=str(path))
    return None


def _is_left_so(bus: MotorBus, held: Held) -> bool:
    now = {name: bus.sync_read(name) for name in _KEPT}
    for motor, values in held.motors.items():
        here = {name: now[name][motor] for name in _KEPT}
        is_free = (here["Min_Position_Limit"], here["Max_Position_Limit"]) == (0, bus.resolution(motor) - 1)
        if not is_free and here != {name: values[name] for name in _KEPT}:
            return False
    return True


def _give_back(bus: MotorBus, clock: Clock, motor: str, values: Mapping[str, int]) -> None:
    is_on = False
    with suppress(DeviceError):  # a motor that complains is not switched on again
        is_on = bool(bus.read("Torque_Enable", motor))
    for name in ("Torque_Enable", *_KEPT, "Goal_Velocity"):
        bus.write(name, motor, values.get(name, 0), despite_faults=True)
    if is_on:
        clock.sleep_until(clock.now() + _NOTICE_S)
        bus.write("Goal_Position", motor, bus.read("Present_Position", motor))
        bus.write("Torque_Enable", motor, 1)
    bus.write("Torque_Limit", motor, values["Torque_Limit"], despite_faults=True)


def _path(bus: MotorBus) -> Path:
    """Name the file after the adapter where that has a number of its own, else after the port."""
    arm = known_arm_at(bus.line.name)
    return devices_path().parent / "unfinished" / f"{re.sub(r'[^0-9A-Za-z]+', '_', arm.serial or arm.port)}.json"
