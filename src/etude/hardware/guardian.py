"""A process that outlives a driver which dies: it lowers the arm to rest and lets it go.

It holds the reading end of a pipe. A driver that leaves in good order says so; a pipe that ends without a word, or an
owner that is gone, means that the driver died. Only then is the port opened: never beside a living owner.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from etude.core.clock import RealClock
from etude.core.errors import EtudeError
from etude.hardware import buses
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import Motor, MotorBus
from etude.hardware.lowering import lower

LEAVE = "leave\n"
_LOOK_S = 0.25
"""How often it looks whether its owner lives. A child of the owner may keep the pipe open."""
_RELEASES = 5
_TRIES = 20
_PAUSE_S = 0.25
"""Between tries to open the port: it may take a while until a dead process has let go of it."""


class Guardian:
    """Starts the process that watches over this one, and sends it away."""

    def __init__(self, kind: ArmKind, port: str, rest: Mapping[str, int]) -> None:
        self._charge = {
            "bus": {"type": kind.bus, "port": port, "baud_rate": kind.baud_rate},
            "motors": {name: [motor.id, motor.model] for name, motor in kind.motors.items()},
            "rest": dict(rest),
        }
        self._process: subprocess.Popen[str] | None = None

    def stand_by(self) -> None:
        """Start the process; it is ready a moment later."""
        # In a session of its own neither Ctrl-C nor the end of a terminal reaches it.
        command = [sys.executable, "-P", "-m", "etude.hardware.guardian"]  # a json.py here must not matter
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
        _say(self._process, json.dumps(self._charge | {"owner": os.getpid()}) + "\n")

    def leave(self) -> None:
        """Send the process away; harmless when there is none."""
        process, self._process = self._process, None
        if process:
            _say(process, LEAVE)
            process.communicate()


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin, "it was opened with a pipe"
    with suppress(OSError):  # it was killed; the arm is in our hands still
        process.stdin.write(line)
        process.stdin.flush()


def watch(orders: IO[str]) -> None:
    """Wait for the end of the owner whose arm is described in the first line of `orders`; then look after the arm."""
    charge = json.loads(orders.readline())
    if _is_orphaned(orders, charge["owner"]):
        rescue(charge)


def rescue(charge: Mapping[str, Any]) -> bool:
    """Lower the arm that is described by `charge` and let it go; tell whether it could be reached."""
    bus = _reached(charge)
    if bus is None:
        return False
    try:
        with suppress(EtudeError):  # what can be released still is
            if all(bus.sync_read("Torque_Enable", charge["rest"]).values()):  # goals would wake up a limp arm
                lower(bus, charge["rest"], RealClock())
    finally:
        _release(bus)
        bus.close()
    return True


def _release(bus: MotorBus) -> None:
    """Let every motor go that can be reached, asking more than once: on a noisy wire none should stay stiff."""
    left = list(bus.motors)
    for _ in range(_RELEASES):
        for motor in tuple(left):
            with suppress(EtudeError):
                bus.write("Torque_Enable", motor, 0, despite_faults=True)
                left.remove(motor)


def _reached(charge: Mapping[str, Any]) -> MotorBus | None:
    """Open the arm's bus; none when the port is gone, or in other hands by now."""
    values = dict(charge["bus"])
    config = buses.config(values.pop("type"))(**values)
    motors = {name: Motor(id=motor_id, model=model) for name, (motor_id, model) in charge["motors"].items()}
    for _ in range(_TRIES):
        bus: MotorBus = buses.build(config, motors)
        try:
            bus.open()
        except EtudeError:
            time.sleep(_PAUSE_S)
        else:
            return bus
    return None


def _is_orphaned(orders: IO[str], owner: int) -> bool:
    """Wait until the owner says goodbye, which is false, or dies."""
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(orders.readline()), daemon=True)
    reader.start()
    while reader.is_alive() and _is_alive(owner):
        reader.join(_LOOK_S)
    reader.join(_LOOK_S)  # an owner that said goodbye and was gone at once has said goodbye
    return LEAVE not in said


def _is_alive(owner: int) -> bool:
    return sys.platform == "win32" or os.getppid() == owner


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin)
