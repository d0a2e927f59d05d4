"""What `etude doctor` finds out about what is plugged in: ports, rights, arms, calibrations, cameras."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli.find_port import arm_told
from etude.cli.finding import Finding
from etude.core.errors import EtudeError, MissingExtra
from etude.hardware import calibration
from etude.hardware.health import Vitals

if TYPE_CHECKING:
    from etude.hardware.cameras.found import FoundCamera
    from etude.hardware.device import Camera
    from etude.hardware.discover import FoundArm

_WATCHED_S = 1.0
_FEW = 0.8
"""Share of the pictures asked for that a camera must give."""
_WARM_C, _WEAK_V = 55.0, 4.8


def device_findings(ports: list[str] | None = None) -> Iterator[Finding]:
    """Look at everything that is plugged in, or at the arms on `ports`."""
    yield from _arms(ports)
    yield from _cameras()


def _arms(ports: list[str] | None) -> Iterator[Finding]:
    from etude.hardware.discover import arm_on, serial_ports

    try:
        found = [port.device for port in serial_ports()] if ports is None else ports
    except MissingExtra as missing:
        yield Finding(True, f"serial ports: not looked for. {missing}")
        return
    if not found:
        yield Finding(True, "serial ports: none (the simulated arm needs none)")
    for port in found:
        if problem := refused(port):
            yield Finding(False, problem)
            continue
        arm = arm_on(port)
        well = bool(arm.motors) and not arm.problem
        yield Finding(well, f"{port}: {arm_told(arm)}" + ("" if well else _ADVICE))
        if arm.vitals:
            yield from feels(port, arm.vitals)
        if arm.kinds:
            yield _calibration_of(arm)


_ADVICE = ". Is the power on, and every motor's cable in? etude find-port --thorough looks at every baud rate."


def refused(port: str) -> str:
    """Say why this user may not use `port`, and the command that changes it; nothing when she may."""
    if os.name != "posix" or not Path(port).exists() or os.access(port, os.R_OK | os.W_OK):
        return ""
    import grp

    group = Path(port).group() if Path(port).stat().st_gid in {entry.gr_gid for entry in grp.getgrall()} else "dialout"
    return (
        f"{port}: you may not use it. Run: sudo usermod -aG {group} $USER, then log out and in; "
        "or for everybody: sudo etude find-port --udev --install"
    )


def feels(port: str, vitals: Vitals) -> Iterator[Finding]:
    """Say what is wrong with how the motors are fed and how warm they are."""
    if vitals.voltage_v < _WEAK_V:
        yield Finding(
            False,
            f"{port}: {vitals.voltage_v:.1f} V is too little. USB feeds no motors: plug the power supply in.",
        )
    if vitals.temperature_c > _WARM_C:
        yield Finding(False, f"{port}: a motor has {vitals.temperature_c:.0f} °C. Let the arm rest before you go on.")
    if vitals.faults:
        yield Finding(False, f"{port}: a motor reports {', '.join(vitals.faults)}. Switch its power off and on.")


def _calibration_of(arm: FoundArm) -> Finding:
    """Say whether one of the calibration files is that of the arm."""
    from etude.hardware import buses
    from etude.hardware.arm_calibration import path_of, read
    from etude.hardware.arm_config import ArmConfig
    from etude.hardware.discover import arm_kinds

    kinds = arm_kinds()
    kind = kinds[arm.kinds[0]]
    bus = buses.build(buses.config(kind.bus)(port=arm.port), kind.motors)
    try:
        bus.open()
        held = read(kind, bus)
    except EtudeError as problem:
        return Finding(False, f"{arm.port}: its calibration cannot be read. {problem}")
    finally:
        bus.close()
    for folder in sorted({path_of(kinds[name], ArmConfig()).parent for name in arm.kinds}):
        for file in sorted(folder.glob("*.json")):
            try:
                stored = calibration.load_calibration(file)
            except EtudeError:
                continue
            if stored == held:
                return Finding(True, f"{arm.port}: calibrated as {file}")
    sort = "teleop" if kind.is_leader else "robot"
    return Finding(
        False,
        f"{arm.port}: no calibration file matches what its motors hold. "
        f"Run: etude calibrate --{sort}.type={arm.kinds[0]} --{sort}.port={arm.port} --{sort}.id=NAME{_doubt(arm)}",
    )


def _doubt(arm: FoundArm) -> str:
    """Say that the make is a guess, where other makes have the same motors."""
    others = " or ".join(arm.kinds[1:])
    return f" (its type is a guess by voltage and gain; it may be {others})" if others else ""


def _cameras() -> Iterator[Finding]:
    from etude.hardware.cameras.found import found_cameras

    found = found_cameras()
    if not found:
        yield Finding(True, "cameras: none (the simulated ones need none)")
        return
    yield from _all_at_once(found)


def _all_at_once(found: list[FoundCamera]) -> Iterator[Finding]:
    """Let all cameras give pictures together, as they will when recording, and count."""
    from etude.hardware import cameras

    opened: dict[str, Camera] = {}
    try:
        for one in found:
            camera = cameras.build(cameras.config("opencv")(index_or_path=one.index_or_path))
            try:
                camera.connect()
            except EtudeError as problem:
                together = f" {len(opened)} others are open: a USB socket carries only so much." if opened else ""
                yield Finding(False, f"{problem}{together}")
                continue
            opened[str(one.index_or_path)] = camera
        time.sleep(_WATCHED_S)
        for name, camera in opened.items():
            yield camera_finding(name, camera.health().fps, len(opened))
    finally:
        for camera in opened.values():
            camera.disconnect()


def camera_finding(name: str, fps: float, num_open: int, wanted_fps: float = 30.0) -> Finding:
    """Say whether a camera keeps up while `num_open` are open."""
    if fps >= _FEW * wanted_fps:
        return Finding(True, f"camera {name}: {fps:.0f} pictures per second")
    crowd = (
        f" while {num_open} are open. They may share one USB controller: move one to another socket, "
        "choose fourcc: MJPG, or smaller pictures."
        if num_open > 1
        else ". It may need more light, or fourcc: MJPG."
    )
    return Finding(False, f"camera {name}: only {fps:.0f} of {wanted_fps:.0f} pictures per second{crowd}")
