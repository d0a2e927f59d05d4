"""Names for arms and cameras that stay when the system deals out its numbers anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from etude.core.codec import decode
from etude.core.errors import ConfigError, DeviceError, NotFound
from etude.core.files import read_json, write_json
from etude.hardware import lines


@dataclass(frozen=True, kw_only=True)
class KnownArm:
    """An arm that was given a name."""

    port: str
    """Where it was last."""
    serial: str = ""
    """USB serial number of its adapter; empty where that has none."""
    location: str = ""
    """The USB socket it was in."""
    kind: str = ""
    """What it is, such as `so_follower`."""
    offsets: tuple[int, ...] = ()
    """The homing offsets its motors held: no other arm has the same."""


@dataclass(frozen=True, kw_only=True)
class KnownDevices:
    """Everything that was given a name."""

    arms: dict[str, KnownArm] = field(default_factory=dict)
    cameras: dict[str, str] = field(default_factory=dict)
    """Where each camera is found for good, such as /dev/v4l/by-id/..."""


def devices_path() -> Path:
    """Tell where names are kept."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "etude" / "devices.json"


def known_devices() -> KnownDevices:
    """Read all names; raise `ConfigError` when the file is damaged."""
    path = devices_path()
    if not path.exists():
        return KnownDevices()
    stored = read_json(path, lambda path, problem: ConfigError(f"{path} {problem}"))
    return decode(KnownDevices, stored, where=str(path))


def remember_arm(name: str, arm: KnownArm) -> None:
    """Give an arm a name; whatever had it before loses it."""
    known = known_devices()
    _store(known.arms | {_checked(name): arm}, known.cameras)


def remember_camera(name: str, path: str) -> None:
    """Give a camera a name; whatever had it before loses it."""
    known = known_devices()
    _store(known.arms, known.cameras | {_checked(name): path})


def remembered_camera(name: str) -> str | None:
    """Tell where the camera of that name is; none when no camera is called so."""
    return known_devices().cameras.get(name)


def resolve_port(port: str) -> str:
    """Tell where the arm called `port` is plugged in now; a port that is no name stays as it is.

    Raise `DeviceError` when an arm of that name is known and not there.
    """
    if any(sign in port for sign in ("/", "\\", ":")) or port in lines.packages() or port.upper().startswith("COM"):
        return port
    arm = known_devices().arms.get(port)
    if arm is None:
        return port
    for found in _serial_ports():
        is_it = found.serial_number == arm.serial if arm.serial else found.location == arm.location != ""
        if is_it:
            return found.device
    if not arm.serial and not arm.location and Path(arm.port).exists():
        return arm.port
    here = ", ".join(found.device for found in _serial_ports()) or "none"
    told = f"USB serial number {arm.serial}" if arm.serial else f"place {arm.location or arm.port}"
    raise DeviceError(
        f"The arm '{port}' is not plugged in: no serial port has its {told}. Ports that are there: {here}. "
        "Plug it in, or name it anew with etude find-port --name."
    )


def _serial_ports() -> list[Any]:
    try:
        from serial.tools import list_ports  # noqa: PLC0415  an extra, which a simulated arm does not need
    except ImportError:
        return []
    return list(list_ports.comports())


def known_arm_at(port: str, *, kind: str = "", offsets: Mapping[str, int] | None = None) -> KnownArm:
    """Describe the arm on `port`, which may be a name already, so that it is found again."""
    port = resolve_port(port)
    here = str(Path(port).resolve()) if Path(port).exists() else port
    usb = next((found for found in _serial_ports() if found.device in (port, here)), None)
    return KnownArm(
        port=port,
        serial=(usb.serial_number or "") if usb else "",
        location=(usb.location or "") if usb else "",
        kind=kind,
        offsets=tuple((offsets or {}).values()),
    )


def names_of(port: str) -> list[str]:
    """List the names of the arm that is on `port` now."""
    names: list[str] = []
    for name in known_devices().arms:
        try:
            if Path(resolve_port(name)).resolve() == Path(port).resolve():
                names.append(name)
        except (DeviceError, NotFound):
            continue
    return names


def _checked(name: str) -> str:
    if not name or not name.replace("-", "").replace("_", "").isalnum() or name in lines.packages():
        raise ConfigError(f"'{name}' cannot be a device's name: take letters, digits, - and _, but not sim or serial.")
    return name


def _store(arms: Mapping[str, KnownArm], cameras: Mapping[str, str]) -> None:
    write_json(devices_path(), {"arms": {name: asdict(arm) for name, arm in arms.items()}, "cameras": dict(cameras)})
