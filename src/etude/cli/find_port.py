"""`etude find-port`: which serial port is which arm."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli.console import say
from etude.core.errors import DeviceError, UserError

if TYPE_CHECKING:
    from etude.hardware.discover import FoundArm

_LOOK_S = 0.03
_PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class FindPort:
    """Show the serial ports and which arm is on each; tell arms apart by moving one, and give them names.

    A name can be used wherever a port is asked for: --robot.port=NAME.
    """

    wiggle: bool = False
    """Find the arm that you move by hand; the torque of all arms goes off."""
    unplug: bool = False
    """Find the port whose cable you pull, as lerobot-find-port does."""
    name: str | None = None
    """Remember the arm that was found by this name."""
    ports: str = ""
    """Look at these ports only, with commas between; also at ones that are no USB adapters."""
    thorough: bool = False
    """Look for motors at every baud rate; takes seconds for each port."""
    udev: bool = False
    """Print the udev rule by which everybody at this computer may use the adapters (Linux)."""
    install: bool = False
    """With --udev: install that rule; needs root."""


COMMAND = FindPort


def run(command: FindPort) -> int:
    """Do what was asked for; print the port that was found, or a line for each."""
    if command.install and not command.udev:
        raise UserError("--install goes with --udev.")
    if command.udev:
        return _udev(install=command.install)
    if command.unplug:
        return _found(_by_unplugging(), command)
    ports = _chosen(command)
    if command.wiggle:
        return _found(_by_wiggling(ports), command)
    return _list(ports, command)


def _chosen(command: FindPort) -> list[str]:
    from etude.hardware.discover import serial_ports

    if command.ports:
        return [port.strip() for port in command.ports.split(",") if port.strip()]
    return [port.device for port in serial_ports()]


def _list(ports: list[str], command: FindPort) -> int:
    from etude.hardware.discover import arm_on, serial_ports
    from etude.hardware.names import names_of

    usb = {port.device: port for port in serial_ports()}
    for port in ports:
        found, about = arm_on(port, thorough=command.thorough), usb.get(port)
        adapter = f"USB {about.usb} serial {about.serial or 'none'}" if about else ""
        named = f"named {', '.join(names)}" if (names := names_of(port)) else ""
        print("  ".join(part for part in (port, arm_told(found), adapter, named) if part))
    if not ports:
        say(
            "No USB serial port is there. Plug the adapter in, give the arm power, try another cable: some only charge."
        )
        return 1
    if command.name and len(ports) == 1:
        return _found(ports[0], command)
    if command.name:
        raise UserError(f"Which of them is '{command.name}'? Add --wiggle and move that arm.")
    return 0


def arm_told(found: FoundArm) -> str:
    """Say in a few words what is on a port."""
    if found.problem and not found.motors:
        return found.problem
    if not found.motors:
        return "no motor answers"
    felt = f", {found.vitals.voltage_v:.1f} V, {found.vitals.temperature_c:.0f} °C" if found.vitals else ""
    ids = ", ".join(str(motor.id) for motor in found.motors)
    if not found.kinds:
        models = ", ".join(sorted({motor.model or f"model {motor.model_number}" for motor in found.motors}))
        return f"motors {ids} ({models}){felt}: no arm that is known"
    likely, *others = found.kinds
    perhaps = f" (a guess by voltage and gain; or {', '.join(others)})" if others else ""
    return f"{likely}{perhaps}, {len(found.motors)} motors{felt}"


def _by_wiggling(ports: list[str]) -> str:
    from etude.hardware.discover import wiggled

    looks = wiggled(ports)
    say("The torque of all arms goes off. Move one of them.")
    deadline = time.monotonic() + _PATIENCE_S
    for port in looks:
        if port is not None:
            return port
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_S)
    raise DeviceError(f"No arm was moved within {_PATIENCE_S:.0f} s on {', '.join(ports) or 'any port'}. Has it power?")


def _by_unplugging() -> str:
    from etude.cli.answers import Answers
    from etude.hardware.discover import serial_ports

    answers = Answers()
    before = {port.device for port in serial_ports()}
    say(f"Ports: {', '.join(sorted(before)) or 'none'}. Pull the USB cable of the arm, then press Enter.")
    answers.wait()
    gone = sorted(before - {port.device for port in serial_ports()})
    if len(gone) != 1:
        raise DeviceError(f"{len(gone)} ports went away, and it should be one. Pull one cable only, and wait a second.")
    say(f"It was {gone[0]}. Plug it in again, then press Enter.")
    answers.wait()
    return gone[0]


def _found(port: str, command: FindPort) -> int:
    from etude.hardware.discover import arm_on
    from etude.hardware.names import known_arm_at, remember_arm

    print(port)
    if command.name:
        found = arm_on(port)
        kind = found.kinds[0] if len(found.kinds) == 1 else ""
        remember_arm(command.name, replace(known_arm_at(port), kind=kind))
        name = command.name
        say(f"It is called {name} from now on: --robot.port={name}, or --teleop.port={name} if it is a leader.")
    return 0


def _udev(*, install: bool) -> int:
    from etude.hardware.discover import UDEV_FILE, serial_ports, udev_rules

    ports = serial_ports()
    if not ports:
        raise DeviceError("No USB serial port is there to write a rule for. Plug the adapter in.")
    rules = udev_rules(ports)
    print(rules, end="")
    if not install:
        say(f"To install it: sudo etude find-port --udev --install  (writes {UDEV_FILE})")
        return 0
    install_rules(rules, UDEV_FILE)
    return 0


def install_rules(rules: str, file: Path) -> None:
    """Write udev rules and let udev read them; raise `UserError` without the right to."""
    import subprocess

    from etude.core.files import atomic

    if not file.parent.is_dir():
        raise DeviceError(f"{file} cannot be written: {file.parent} is no folder. Has this computer udev?")
    try:
        with atomic(file) as draft:  # udev reads half a rule without a word
            draft.write_text(rules, encoding="utf-8")
    except PermissionError as error:
        raise UserError(f"Only root may write {file}. Run: sudo etude find-port --udev --install") from error
    except OSError as error:
        raise DeviceError(f"{file} cannot be written: {error.strerror}. Has this computer udev?") from error
    for words in (["udevadm", "control", "--reload-rules"], ["udevadm", "trigger", "--subsystem-match=tty"]):
        try:
            subprocess.run(words, check=True, capture_output=True)  # noqa: S603  fixed words
        except (OSError, subprocess.CalledProcessError) as error:
            raise DeviceError(f"{file} is written, but udev did not read it: unplug the arm and plug it in.") from error
    say(f"Installed in {file}. Unplug the arm and plug it in once.")
