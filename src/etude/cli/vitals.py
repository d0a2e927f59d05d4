"""A robot's health in a few short lines: the worst of each kind, and whose it is."""

from __future__ import annotations

from collections.abc import Iterator

from etude.hardware.health import CameraHealth, Health


def health_lines(health: Health) -> Iterator[tuple[str, str]]:
    """Give lines to show, each with the name of what it is about."""
    if health.motors:
        yield "motors", ", ".join(_motors(health))
    if wire := _wire(health):
        yield "bus", wire
    for name, camera in health.cameras.items():
        yield "camera", f"{name} {_camera(camera)}"


def _motors(health: Health) -> Iterator[str]:
    motors = health.motors
    lowest = min(motors, key=lambda name: motors[name].voltage_v)
    hottest = max(motors, key=lambda name: motors[name].temperature_c)
    hardest = max(motors, key=lambda name: abs(motors[name].load))
    yield f"{motors[lowest].voltage_v:.1f} V"
    yield f"{motors[hottest].temperature_c:.0f} °C ({hottest})"
    yield f"load {100 * abs(motors[hardest].load):.0f} % ({hardest})"
    yield from (f"{name}: {', '.join(vitals.faults)}" for name, vitals in motors.items() if vitals.faults)


def _wire(health: Health) -> str:
    missed = {name: tally.missed + tally.damaged for name, tally in health.tallies.items()}
    if not missed:
        return ""
    asked = sum(tally.asked for tally in health.tallies.values())
    if not any(missed.values()):
        return f"every answer of {asked} came"
    worst = max(missed, key=lambda name: missed[name])
    return f"{sum(missed.values())} of {asked} answers missed, most of {worst}"


def _camera(camera: CameraHealth) -> str:
    again = f", reopened {camera.reconnects} times" if camera.reconnects else ""
    problem = f": {camera.problem}" if camera.problem else ""
    return f"{camera.fps:.1f} fps, {1000 * camera.age_s:.0f} ms old{again}{problem}"
