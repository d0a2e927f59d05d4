"""A simulated servo of the SCS series: an older firmware with numbers high byte first, and a potentiometer.

Sources: Feetech's FT-SCS protocol and SCS memory table (ftservo wiki, FD 1.9.8), SCS0009 data sheet. The gain of its
position loop was not identified: it pushes as hard per radian and unit of P gain as an STS3215. Derivative and integral
gains, acceleration and the start-up force have no effect.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

from etude.hardware.buses.feetech.packet import Instruction
from etude.hardware.buses.feetech.registers import SCS0009 as TABLE
from etude.sim.servos.feetech.drive import DUTY_PER_TICK, MAX_DUTY, OVERHEAT, OVERLOAD, Drive, Mode, Settings
from etude.sim.servos.feetech.drive import TICKS_PER_RAD as STS_TICKS_PER_RAD
from etude.sim.servos.feetech.memory import Memory
from etude.sim.servos.feetech.models import SCS0009 as MODEL
from etude.sim.servos.feetech.models import Model
from etude.sim.servos.feetech.servo import Measures, Sts3215

HIGHEST = 1023
TICKS_PER_RAD = 1024 / math.radians(300)
"""The potentiometer has a track of 300 degrees."""
_FASTEST = 2048.0
"""60 degrees in 0.1 s [ticks/s]."""
_GOAL = TABLE["Goal_Position"].address
_OVERLOAD_DUTY = 0.8
_PROTECTION_UNIT_S = 0.04
_PWM_SIGN = 1 << 10
_KNOWN = frozenset(
    {
        Instruction.PING,
        Instruction.READ,
        Instruction.WRITE,
        Instruction.REG_WRITE,
        Instruction.ACTION,
        Instruction.SYNC_WRITE,
    }
)


class ScsDrive(Drive):
    """Motor, gears and potentiometer, which shows its ends where it is turned beyond them."""

    __slots__ = ()

    def _present(self, position_rad: float) -> int:
        tick = math.floor(position_rad * TICKS_PER_RAD + self._tick_at_zero + 0.5)
        return min(max(tick, 0), HIGHEST)


class Scs0009(Sts3215):
    """One servo: bytes in and out by `answer`, physics by `torque`; its options are those of the STS3215.

    It must be asked alone: it hears no read of many at once and no roll call. It has no offset, so a calibration leaves
    position limits only; with both of them zero it turns freely, as hard as Running_Time says.
    """

    table = TABLE
    inside: ClassVar[Model] = MODEL
    middle: ClassVar[int] = 512
    ticks_per_rad: ClassVar[float] = TICKS_PER_RAD
    understands: ClassVar[frozenset[int]] = _KNOWN
    answers_roll_calls: ClassVar[bool] = False
    _waiting: ClassVar[str] = "Sync_Write_Flag"

    def write(self, address: int, data: bytes) -> None:
        """Write memory and act on it; without Goal_Velocity a goal is reached in the Running_Time [ms]."""
        super().write(address, data)
        if address <= _GOAL < address + len(data):
            self.drive.settings = replace(self.drive.settings, speed=self._speed_to_goal())

    def _speed_to_goal(self) -> float:
        get = self.memory.get
        if get("Goal_Velocity") or not get("Running_Time"):
            return float(get("Goal_Velocity")) or _FASTEST
        distance = abs(get("Goal_Position") - self.drive.position)
        return min(1000 * max(distance, 1) / get("Running_Time"), _FASTEST)

    def _know_range(self, low: int, high: int, mounting_offset: int) -> None:
        ends = {"Min_Position_Limit": low, "Max_Position_Limit": high}
        for name, value in ends.items():
            self.memory.set(name, min(max(value + mounting_offset, 0), HIGHEST))
            self.memory.keep(name)

    def _driven(self, tick_at_zero: float) -> Drive:
        return ScsDrive(tick_at_zero, self._settings(), self.model)

    def _settings(self) -> Settings:
        return _settings(self.memory, self.model.stall_nm)

    def _measures(self) -> Measures:
        return _MEASURES


def _settings(memory: Memory, stall_nm: float) -> Settings:
    """Decode the registers of a servo with this torque at stall."""
    get, unloads_on = memory.get, memory.get("Unloading_Condition")
    low, high = get("Min_Position_Limit"), get("Max_Position_Limit")
    is_motor = not low and not high
    torque_limit, hottest = min(get("Max_Torque_Limit") / 1000, 1.0), float(get("Max_Temperature_Limit"))
    push = get("Running_Time")
    return Settings(
        is_driving=get("Torque_Enable") == 1,
        mode=Mode.PWM if is_motor else Mode.POSITION,
        has_goal=not is_motor,
        wanted_duty=(push & _PWM_SIGN - 1) / 1000 * (-1 if push & _PWM_SIGN else 1),
        wanted_speed=0.0,
        homing=0,
        is_multi_turn=False,
        lowest_goal=low,
        highest_goal=high,
        gain=get("P_Coefficient") * DUTY_PER_TICK * STS_TICKS_PER_RAD / TICKS_PER_RAD,
        dead_zone=(-get("CCW_Dead_Zone"), get("CW_Dead_Zone")),
        speed=float(get("Goal_Velocity")) or _FASTEST,
        acceleration=0.0,
        max_duty=min(MAX_DUTY, torque_limit),
        max_nm=stall_nm * torque_limit,
        overload_duty=_OVERLOAD_DUTY,
        protected_duty=get("Protective_Torque") / 100 if unloads_on & OVERLOAD else 1.0,
        protection_s=get("Protection_Time") * _PROTECTION_UNIT_S,
        hottest_c=hottest,
        unload_above_c=hottest if unloads_on & OVERHEAT else math.inf,
    )


def _speed(servo: Sts3215) -> int:
    return round(min(max(servo.drive.velocity * TICKS_PER_RAD, -32767), 32767))


_MEASURES: Measures = tuple(
    (TABLE[name], measure)
    for name, measure in {
        "Present_Position": lambda servo: servo.drive.position,
        "Present_Velocity": _speed,
        "Present_Load": lambda servo: round(servo.drive.duty * 1000),
        "Present_Voltage": lambda servo: round(servo.drive.supply_v * 10),
        "Present_Temperature": lambda servo: round(servo.drive.temperature_c),
        "Status": lambda servo: servo.faults,
        "Moving": lambda servo: int(servo.drive.is_moving),
    }.items()
)
"""What is measured when it is read; such a servo does not tell its current."""
