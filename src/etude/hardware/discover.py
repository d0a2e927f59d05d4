"""Which arms are plugged in, and where."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from etude.core.errors import EtudeError, MissingExtra
from etude.hardware import buses, robots, teleoperators
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import Motor, MotorBus
from etude.hardware.buses.search import FoundMotor, find_motors
from etude.hardware.health import Vitals

WIGGLE_TICKS = 60
"""5 degrees: more than a motor trembles."""
_SETTLE_LOOKS = 40
"""So long arms may sink that were held until now, before it counts as being moved."""
_FOLLOWER_V = 9.0
"""Leaders are fed with 5 or 7.4 V."""
_FOLLOWER_GAIN = 16
"""What setting up a follower leaves in its P_Coefficient; leaders keep the factory's 32."""


@dataclass(frozen=True, kw_only=True)
class SerialPort:
    """A serial port of this computer."""

    device: str
    name: str = ""
    """What the adapter calls itself."""
    usb: str = ""
    """Vendor and product number, such as 1a86:55d3."""
    serial: str = ""
    """USB serial number; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class FoundArm:
    """What answers on a port."""

    port: str
    motors: tuple[FoundMotor, ...] = ()
    kinds: tuple[str, ...] = ()
    """Plugins whose motors these are, the likeliest first, such as `so101_follower`."""
    vitals: Vitals | None = None
    """How its first motor feels."""
    problem: str = ""
    """Why nothing could be asked."""


def serial_ports() -> list[SerialPort]:
    """List the serial ports of USB adapters and boards; raise `MissingExtra` without pyserial."""
    try:
        from serial.tools import list_ports  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("Finding serial ports", "feetech") from error
    found = [port for port in list_ports.comports() if port.vid is not None]
    return [
        SerialPort(
            device=port.device,
            name=port.description or "",
            usb=f"{port.vid:04x}:{port.pid:04x}",
            serial=port.serial_number or "",
        )
        for port in sorted(found, key=lambda port: port.device)
    ]


def arm_kinds() -> dict[str, ArmKind]:
    """List the makes of arms there are plugins for, by plugin."""
    found: dict[str, ArmKind] = {}
    for registry in (robots, teleoperators):
        for name, package in registry.packages().items():
            if importlib.util.find_spec(f"{package}.kind") is None:
                continue
            module = importlib.import_module(f"{package}.kind")
            own = vars(module).get(name.upper())
            if isinstance(own, ArmKind):
                found[name] = own
    return found


def arm_on(port: str, *, thorough: bool = False) -> FoundArm:
    """Ask which motors are on `port`, at the usual rate; at every rate there is if `thorough`, which takes seconds."""
    problem = ""
    for family in _families():
        try:
            bus = buses.build(buses.config(family)(port=port), {})
            bus.open()
        except EtudeError as error:
            problem = str(error)
            continue
        try:
            motors = tuple(find_motors(bus)) if thorough else _at_usual_rate(bus)
        except EtudeError as error:
            problem = str(error)
            motors = ()
        finally:
            bus.close()
        if motors:
            return _told(port, family, motors)
    return FoundArm(port=port, problem=problem)


def wiggled(ports: Sequence[str]) -> Generator[str | None, None, None]:
    """Watch the arms on `ports`, whose torque goes off, and give the port whose arm is moved; nothing until then."""
    with ExitStack() as opened:
        watched = {port: bus for port in ports if (bus := _limp(port, opened)) is not None}
        first = {port: bus.sync_read("Present_Position") for port, bus in watched.items()}
        for look in count():
            for port, bus in watched.items():
                now = bus.poll("Present_Position")
                if look < _SETTLE_LOOKS:
                    first[port] = now
                elif any(_far(bus, motor, first[port][motor], now[motor]) for motor in now):
                    yield port
                    return
            yield None


def _limp(port: str, opened: ExitStack) -> MotorBus | None:
    """Open the bus on `port` for as long as `opened` and switch its motors off; none when no motor is there."""
    found = arm_on(port)
    if not any(motor.model for motor in found.motors):
        return None
    bus = _bus_of(found)
    bus.open()
    opened.callback(bus.close)
    for motor in bus.motors:
        bus.write("Torque_Enable", motor, 0, despite_faults=True)
    return bus


def _far(bus: MotorBus, motor: str, first: int, now: int) -> bool:
    turn = bus.resolution(motor)
    return abs((now - first + turn // 2) % turn - turn // 2) > WIGGLE_TICKS


def _families() -> list[str]:
    """List the bus families, the most common first."""
    return sorted(buses.names(), key=lambda name: (name != "feetech", name))


def _at_usual_rate(bus: MotorBus) -> tuple[FoundMotor, ...]:
    names = bus.model_names
    return tuple(
        FoundMotor(baud_rate=1_000_000, id=motor_id, model_number=number, model=names.get(number, ""))
        for motor_id, number in bus.scan().items()
    )


def _told(port: str, family: str, motors: tuple[FoundMotor, ...]) -> FoundArm:
    """Tell what make of arm the motors are of, and how it feels."""
    here = {motor.id: motor.model for motor in motors}
    kinds = [
        name
        for name, kind in arm_kinds().items()
        if kind.bus == family and {motor.id: motor.model for motor in kind.motors.values()} == here
    ]
    found = FoundArm(port=port, motors=motors, kinds=tuple(kinds))
    if not any(motor.model for motor in motors):
        return found
    bus = _bus_of(found)
    bus.open()
    try:
        first = next(iter(bus.motors))
        vitals = bus.vitals(first)
        is_follower = vitals.voltage_v > _FOLLOWER_V
        if family == "feetech":
            is_follower |= bus.read("P_Coefficient", first) == _FOLLOWER_GAIN
    except EtudeError as problem:
        return FoundArm(port=port, motors=motors, kinds=tuple(kinds), problem=str(problem))
    finally:
        bus.close()
    likeliest = sorted(kinds, key=lambda name: (name.endswith("follower") != is_follower, "101" not in name))
    return FoundArm(port=port, motors=motors, kinds=tuple(likeliest), vitals=vitals)


def _bus_of(found: FoundArm) -> MotorBus:
    """Give a bus to the motors that were found, not yet open."""
    known = [motor for motor in found.motors if motor.model]
    family = next(
        family for family in _families() if {motor.model for motor in known} <= set(_models_of(family, found.port))
    )
    config = buses.config(family)(port=found.port, baud_rate=known[0].baud_rate)
    return buses.build(config, {f"motor_{motor.id}": Motor(id=motor.id, model=motor.model) for motor in known})


def _models_of(family: str, port: str) -> Sequence[str]:
    return list(buses.build(buses.config(family)(port=port), {}).model_names.values())


_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
"""Serial numbers that mean nothing in a rule but themselves; an adapter may say anything, and root runs the rules."""


def udev_rules(ports: Sequence[SerialPort]) -> str:
    """Give udev rules by which everybody may use the adapters, each with a lasting link by its serial number."""
    lines = ["# Motor adapters that everybody at this computer may use, written by etude find-port --udev"]
    for port in ports:
        vendor, _, product = port.usb.partition(":")
        match = f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}"'
        number = port.serial if _PLAIN.fullmatch(port.serial) else ""
        serial = f', ATTRS{{serial}}=="{number}"' if number else ""
        link = f', SYMLINK+="etude-{number}"' if number else ""
        lines.append(f'{match}{serial}, MODE="0666"{link}')
    return "\n".join(lines) + "\n"


UDEV_FILE = Path("/etc/udev/rules.d/99-etude.rules")
"""Where the rules go."""
