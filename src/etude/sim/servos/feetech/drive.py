"""What the firmware and the motor of an STS3215 do between two physics steps: encoder, profile, control law, torque.

The motor law and its constants are those that Rhoban's BAM identified on a pendulum (model m1, 7.4 V): the voltage is
proportional to the position error. Its friction and armature belong to the physics engine. Derivative and integral
gains and the start-up force were not identified and have no effect here; nor do velocity, PWM and step mode.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from etude.hardware.buses.feetech.registers import TICKS_PER_TURN
from etude.sim.servos.feetech.memory import Memory

TICKS_PER_RAD = TICKS_PER_TURN / (2 * math.pi)
SUPPLY_V = 7.4

KT = 1.21164
"""Torque constant at the output shaft [Nm/A], which is also the back-EMF constant [Vs/rad]."""
RESISTANCE = 2.67617
"""[ohm]"""
DUTY_PER_TICK = 0.166 / TICKS_PER_RAD
"""Duty per unit of P gain and tick of error."""
MAX_DUTY = 0.97
STALL_NM = 1.91
"""Data sheet stall torque at 7.4 V; the identified law alone would give 3.25 Nm."""
DEFAULT_SPEED = 3400.0
"""Profile speed when Goal_Velocity is 0 [ticks/s]."""
ACCELERATION_UNIT = 100.0
"""[ticks/s^2]"""

AMBIENT_C = 25.0
COOLING_PER_S = 1.0 / 1500.0
WARMING_C_PER_J = 6.0 * COOLING_PER_S
"""6 K/W in the end: a motor stalled for half an hour nears 65 C."""

VOLTAGE, OVERHEAT, OVERLOAD = 1, 4, 32
"""Fault bits."""
_MULTI_TURN = 0x10
_POSITION_MODE = 0
_DAMPING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the registers tell the drive, decoded once per write instead of once per step."""

    is_driving: bool
    homing: int
    is_multi_turn: bool
    lowest_goal: int
    highest_goal: int
    gain: float
    """Duty per tick."""
    dead_zone: tuple[int, int]
    """Errors within are taken for none [ticks]."""
    speed: float
    """[ticks/s]"""
    acceleration: float
    """[ticks/s^2]; 0 means no limit."""
    max_duty: float
    max_nm: float
    overload_duty: float
    protected_duty: float
    """Duty left after an overload; all of it when overloads are only reported."""
    protection_s: float
    hottest_c: float
    unload_above_c: float

    @classmethod
    def of(cls, memory: Memory) -> Settings:
        """Decode the registers."""
        get, unloads_on = memory.get, memory.get("Unloading_Condition")
        low, high = get("Min_Position_Limit"), get("Max_Position_Limit")
        torque_limit, enable = min(get("Torque_Limit") / 1000, 1.0), get("Torque_Enable")
        hottest = float(get("Max_Temperature_Limit"))
        return cls(
            is_driving=bool(enable) and get("Operating_Mode") == _POSITION_MODE,
            homing=get("Homing_Offset"),
            is_multi_turn=bool(get("Phase") & _MULTI_TURN),
            lowest_goal=low if low or high else -32767,
            highest_goal=high if low or high else 32767,
            gain=0.0 if enable == _DAMPING else get("P_Coefficient") * DUTY_PER_TICK,
            dead_zone=(-get("CCW_Dead_Zone"), get("CW_Dead_Zone")),
            speed=float(abs(get("Goal_Velocity"))) or DEFAULT_SPEED,
            acceleration=get("Acceleration") * ACCELERATION_UNIT,
            max_duty=min(MAX_DUTY, torque_limit),
            max_nm=STALL_NM * torque_limit,
            overload_duty=get("Overload_Torque") / 100,
            protected_duty=get("Protective_Torque") / 100 if unloads_on & OVERLOAD else 1.0,
            protection_s=get("Protection_Time") / 100,
            hottest_c=hottest,
            unload_above_c=hottest if unloads_on & OVERHEAT else math.inf,
        )


class Drive:
    """Turns a goal into a torque, and remembers what the Present registers will show."""

    __slots__ = (
        "_goal", "_overload_s", "_setpoint", "_speed", "_tick_at_zero", "duty", "nm", "position", "settings",
        "supply_v", "temperature_c", "velocity",
    )  # fmt: skip

    def __init__(self, tick_at_zero: float, settings: Settings) -> None:
        self._tick_at_zero = tick_at_zero
        self.settings = settings
        self.supply_v, self.temperature_c = SUPPLY_V, AMBIENT_C
        self.position = self._present(0.0)
        self.velocity = self.duty = self.nm = 0.0
        self.hold()

    def hold(self) -> None:
        """Make the present position the goal, and forget an overload."""
        self._goal = self._setpoint = float(self.position)
        self._speed = self._overload_s = 0.0

    def go(self, goal: int) -> None:
        """Make for `goal` [ticks], or for the nearest position limit."""
        self._goal = float(min(max(goal, self.settings.lowest_goal), self.settings.highest_goal))

    @property
    def is_moving(self) -> bool:
        """Whether the profile is still on its way to the goal."""
        return self.settings.is_driving and self._setpoint != self._goal

    @property
    def faults(self) -> int:
        """The fault bits that hold right now, those of the supply excepted."""
        hot = OVERHEAT if self.temperature_c > self.settings.hottest_c else 0
        return hot | (OVERLOAD if self._overload_s > self.settings.protection_s else 0)

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        settings = self.settings
        self.position = self._present(position_rad)
        self.velocity = velocity_rad_s
        if settings.is_driving and self.temperature_c <= settings.unload_above_c:
            self.duty = duty = self._protect(self._wanted_duty(dt), dt)
            nm = (duty * self.supply_v - KT * velocity_rad_s) * (KT / RESISTANCE)
            limit = settings.max_nm
            nm = limit if nm > limit else max(nm, -limit)
        else:
            self.duty = nm = 0.0
        self.nm = nm
        heat_w = nm * nm * (RESISTANCE / KT**2)
        self.temperature_c += dt * (heat_w * WARMING_C_PER_J - (self.temperature_c - AMBIENT_C) * COOLING_PER_S)
        return nm

    def _present(self, position_rad: float) -> int:
        """What the encoder shows; it wraps after one turn unless the servo counts turns."""
        tick = math.floor(position_rad * TICKS_PER_RAD + self._tick_at_zero + 0.5) - self.settings.homing
        return tick if self.settings.is_multi_turn else tick % TICKS_PER_TURN

    def _wanted_duty(self, dt: float) -> float:
        settings = self.settings
        if self._setpoint != self._goal:
            self._advance(settings.speed, settings.acceleration, dt)
        error = self._setpoint - self.position
        low, high = settings.dead_zone
        if low <= error <= high:
            return 0.0
        duty, limit = settings.gain * error, settings.max_duty
        return limit if duty > limit else max(duty, -limit)

    def _advance(self, top_speed: float, acceleration: float, dt: float) -> None:
        """Move the setpoint on a trapezoidal speed profile that ends at the goal."""
        distance = self._goal - self._setpoint
        if acceleration:
            braking = math.sqrt(2 * acceleration * abs(distance))
            wanted = math.copysign(min(top_speed, braking), distance)
            change = acceleration * dt
            self._speed = min(max(wanted, self._speed - change), self._speed + change)
        else:
            self._speed = math.copysign(top_speed, distance)
        step = self._speed * dt
        if step * distance >= 0 and abs(step) >= abs(distance):
            self._setpoint, self._speed = self._goal, 0.0
        else:
            self._setpoint += step

    def _protect(self, duty: float, dt: float) -> float:
        """Reduce the duty once it was too high for too long, until the load is gone."""
        settings = self.settings
        if abs(duty) <= settings.overload_duty:
            self._overload_s = 0.0
            return duty
        self._overload_s += dt
        if self._overload_s <= settings.protection_s:
            return duty
        return math.copysign(min(abs(duty), settings.protected_duty), duty)
