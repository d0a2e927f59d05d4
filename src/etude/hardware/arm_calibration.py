"""Whether the motors on a port are those of an arm, and how they are calibrated."""

from __future__ import annotations

from pathlib import Path

from etude.core.errors import DeviceError
from etude.hardware.arm_config import ArmConfig
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibration import Calibration, MotorCalibration, calibration_path, load_calibration


def greet(bus: MotorBus) -> None:
    """Make sure that every motor answers and is of the right model."""
    for name, motor in bus.motors.items():
        number, expected = bus.ping(name), bus.model_number(name)
        if number != expected:
            raise DeviceError(
                f"Motor '{name}' (id {motor.id}) on {bus.line.name} has model number {number}, "
                f"not {expected} of the {motor.model.upper()}. Is this the port of the right arm?"
            )


def find(kind: ArmKind, bus: MotorBus, config: ArmConfig, *, is_simulated: bool) -> Calibration:
    """Take the calibration file and make sure that the motors agree; without a file, what the motors hold."""
    held = read(kind, bus)
    path = path_of(kind, config)
    if path.exists() and not (is_simulated and config.id is None):
        stored = load_calibration(path)
        _check(kind, stored, held, f"{path}", config.port)
        return {motor: stored[motor] for motor in kind.motors}
    if not _is_calibrated(kind, held, bus):
        sort = "teleop" if kind.is_leader else "robot"
        raise DeviceError(
            f"The arm on {config.port} is not calibrated: its motors hold no ranges and there is no file {path}. "
            f"Give its id, or calibrate it: etude calibrate --{sort}.type=TYPE --{sort}.port={config.port} "
            f"--{sort}.id={config.id or 'NAME'}"
        )
    return held


def path_of(kind: ArmKind, config: ArmConfig) -> Path:
    """Tell where the calibration file of an arm is, there or not."""
    sort = "teleoperators" if kind.is_leader else "robots"
    return calibration_path(sort, kind.name, config.id, config.calibration_dir)


def read(kind: ArmKind, bus: MotorBus) -> Calibration:
    """Read the calibration that the motors hold."""
    offsets = bus.sync_read("Homing_Offset")
    low, high = bus.sync_read("Min_Position_Limit"), bus.sync_read("Max_Position_Limit")
    turned = dict.fromkeys(kind.motors, 0) if kind.drive_modes is None else bus.sync_read("Drive_Mode")
    return {
        name: MotorCalibration(
            id=motor.id,
            drive_mode=turned[name] & 1,
            homing_offset=offsets[name],
            range_min=low[name],
            range_max=high[name],
        )
        for name, motor in kind.motors.items()
    }


def _is_calibrated(kind: ArmKind, held: Calibration, bus: MotorBus) -> bool:
    """Whether motors hold the ranges of an arm; new ones hold a whole turn, as endless joints always do."""
    bounded = [name for name in held if name not in kind.endless]
    return all((held[name].range_min, held[name].range_max) != (0, bus.resolution(name) - 1) for name in bounded)


def _check(kind: ArmKind, stored: Calibration, held: Calibration, path: str, port: str) -> None:
    """Raise `DeviceError` when the file and the motors disagree: positions would then mean something else."""
    if missing := [motor for motor in held if motor not in stored]:
        raise DeviceError(f"{path} says nothing of {', '.join(missing)}. Calibrate the arm on {port} again.")
    turned = () if kind.drive_modes is None else ("drive_mode",)
    for motor, here in held.items():
        for name in ("id", *turned, "homing_offset", "range_min", "range_max"):
            in_motor, in_file = getattr(here, name), getattr(stored[motor], name)
            if in_motor != in_file:
                raise DeviceError(
                    f"The calibration of '{motor}' on {port} does not match {path}: {name} is {in_motor} in the motor "
                    f"and {in_file} in the file. Give the id of this arm, or calibrate it again."
                )
