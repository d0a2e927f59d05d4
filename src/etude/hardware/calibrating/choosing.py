"""From how far joints were moved to what motors should hold: first the range, then the offset that suits it."""

from __future__ import annotations

from collections.abc import Mapping

from etude.core.errors import DeviceError
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibrating.steps import Swept
from etude.hardware.calibration import Calibration, MotorCalibration


def choose(kind: ArmKind, bus: MotorBus, swept: Mapping[str, Swept], middles: Mapping[str, int]) -> Calibration:
    """Give the calibration in which every range has its middle in the middle of the encoder's turn.

    `swept` holds the joints with stops. `middles` holds where endless ones have their middle [ticks of the encoder];
    their range is a whole turn.
    """
    return {
        motor: _endless(kind, bus, motor, middles[motor])
        if motor in kind.endless
        else _bounded(kind, bus, motor, swept[motor])
        for motor in kind.motors
    }


def _bounded(kind: ArmKind, bus: MotorBus, motor: str, swept: Swept) -> MotorCalibration:
    if swept.high - swept.low >= swept.resolution:
        raise DeviceError(
            f"'{motor}' was turned by {swept.moved_deg:.0f} degrees, more than a turn. "
            "It should stop at both ends; check that its horn is screwed down."
        )
    middle = (swept.low + swept.high) // 2
    shift, reads = _shift(bus, motor, middle)
    low, high = reads - (middle - swept.low), reads + (swept.high - middle)
    if low < 0 and not bus.max_offset:
        raise DeviceError(
            f"'{motor}' passes the zero of its encoder, which a motor of this model cannot move. "
            "Unscrew the horn, turn the motor's axle by half a turn, and screw it on again."
        )
    return _calibration(kind, bus, motor, shift, low, high)


def _endless(kind: ArmKind, bus: MotorBus, motor: str, middle: int) -> MotorCalibration:
    shift, _ = _shift(bus, motor, middle)
    return _calibration(kind, bus, motor, shift, 0, bus.resolution(motor) - 1)


def _shift(bus: MotorBus, motor: str, middle: int) -> tuple[int, int]:
    """Give what to add to the encoder so that `middle` reads half a turn, and what it then reads."""
    turn = bus.resolution(motor)
    wanted = turn // 2 - 1 - middle
    if bus.max_offset >= turn:  # a motor that counts turns: nothing wraps around
        return wanted, middle + wanted
    folded = (wanted + turn // 2) % turn - turn // 2
    shift = max(folded, -bus.max_offset)  # half a turn backwards is one tick more than the register holds
    return shift, (middle + shift) % turn


def _calibration(kind: ArmKind, bus: MotorBus, motor: str, shift: int, low: int, high: int) -> MotorCalibration:
    return MotorCalibration(
        id=bus.motors[motor].id,
        drive_mode=(kind.drive_modes or {}).get(motor, 0),
        homing_offset=bus.homing_sign * shift,
        range_min=low,
        range_max=high,
    )
