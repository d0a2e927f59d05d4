"""The six motors of an SO-101 arm: who they are, how they are set up and let go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from etude.core.errors import DeviceError
from etude.hardware.buses.feetech.bus import FeetechBus
from etude.hardware.buses.feetech.registers import MODEL_NUMBER
from etude.hardware.calibration import Calibration, MotorCalibration
from etude.hardware.robots.so101_follower.config import Config

MOTORS = {"shoulder_pan": 1, "shoulder_lift": 2, "elbow_flex": 3, "wrist_flex": 4, "wrist_roll": 5, "gripper": 6}
"""Ids by name."""
GRIPPER = "gripper"
ENDLESS = "wrist_roll"
"""The joint without stops, whose range is a whole turn."""
WHOLE_TURN = (0, 4095)
_FULL_TURN_COUNTING = 0x10
"""Bit of Phase that makes a servo count turns instead of wrapping around."""


def greet(bus: FeetechBus) -> None:
    """Make sure that every motor answers and is of the right model."""
    for motor, motor_id in bus.motors.items():
        bus.ping(motor)
        model = bus.read("Model_Number", motor)
        if model != MODEL_NUMBER:
            raise DeviceError(
                f"Motor '{motor}' (id {motor_id}) on {bus.line.name} has model number {model}, "
                f"not {MODEL_NUMBER} of an STS3215. Is this the port of the right arm?"
            )


def read_calibration(bus: FeetechBus) -> Calibration:
    """Read the calibration that the motors hold."""
    offsets = bus.sync_read("Homing_Offset")
    low, high = bus.sync_read("Min_Position_Limit"), bus.sync_read("Max_Position_Limit")
    return {
        motor: MotorCalibration(
            id=motor_id,
            drive_mode=0,
            homing_offset=offsets[motor],
            range_min=low[motor],
            range_max=high[motor],
        )
        for motor, motor_id in bus.motors.items()
    }


def is_calibrated(held: Calibration) -> bool:
    """Whether motors hold the ranges of an arm; new ones hold a whole turn, as the endless wrist always does."""
    bounded = (one for motor, one in held.items() if motor != ENDLESS)
    return all((one.range_min, one.range_max) != WHOLE_TURN for one in bounded)


def check_calibration(stored: Calibration, held: Calibration, path: Path, port: str) -> None:
    """Raise `DeviceError` when the file and the motors disagree: positions would then mean something else."""
    if missing := [motor for motor in held if motor not in stored]:
        raise DeviceError(f"{path} says nothing of {', '.join(missing)}. Calibrate the arm on {port} again.")
    for motor, here in held.items():
        for name in ("id", "homing_offset", "range_min", "range_max"):
            in_motor, in_file = getattr(here, name), getattr(stored[motor], name)
            if in_motor != in_file:
                raise DeviceError(
                    f"The calibration of '{motor}' on {port} does not match {path}: {name} is {in_motor} in the motor "
                    f"and {in_file} in the file. Give the id of this arm, or calibrate it again."
                )


def configure(bus: FeetechBus, config: Config) -> None:
    """Set the motors up as LeRobot does, with the torque off; what is right already is not written again."""
    everywhere = {
        "Return_Delay_Time": 0,
        "Maximum_Acceleration": 254,
        "Acceleration": 254,
        "Operating_Mode": 0,
        "P_Coefficient": config.position_p_coefficient,
        "I_Coefficient": config.position_i_coefficient,
        "D_Coefficient": config.position_d_coefficient,
    }
    # A gripper that pushes against a hard thing for hours must not burn.
    in_gripper = {"Max_Torque_Limit": 500, "Protection_Current": 250, "Overload_Torque": 25}
    for motor in bus.motors:
        bus.write("Lock", motor, 0)
        wanted = everywhere | (in_gripper if motor == GRIPPER else {})
        wanted["Phase"] = bus.read("Phase", motor) & ~_FULL_TURN_COUNTING
        for name, value in wanted.items():
            if bus.read(name, motor) != value:
                bus.write(name, motor, value)
        bus.write("Lock", motor, 1)


def hold(bus: FeetechBus) -> None:
    """Switch the torque on where the arm is now."""
    bus.sync_write("Goal_Position", bus.sync_read("Present_Position"))
    _for_each(bus, lambda motor: bus.write("Torque_Enable", motor, 1))


def release(bus: FeetechBus) -> None:
    """Switch the torque off in every motor that can be reached; raise `DeviceError` for those that cannot."""
    _for_each(bus, lambda motor: bus.write("Torque_Enable", motor, 0, despite_faults=True))


def _for_each(bus: FeetechBus, do: Callable[[str], None]) -> None:
    """Do it with every motor, then raise what went wrong first."""
    problems: list[DeviceError] = []
    for motor in bus.motors:
        try:
            do(motor)
        except DeviceError as problem:
            problems.append(problem)
    if problems:
        raise problems[0]
