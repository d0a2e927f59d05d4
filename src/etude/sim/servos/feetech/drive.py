"""What the firmware and the motor of an STS3215 do between two physics steps: encoder, profile, control law, torque.

The motor law and its constants are those that Rhoban's BAM identified on a pendulum (model m1, 7.4 V): the voltage is
proportional to the position error. Its friction and armature belong to the physics engine. Derivative and integral
gains, those of the velocity loop and the start-up force were not identified and have no effect here: in velocity mode
the position loop follows a setpoint that runs at the speed wanted.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from etude.hardware.buses.feetech.registers import TICKS_PER_TURN
from etude.sim.servos.feetech.memory import Memory
from etude.sim.servos.feetech.models import Model

TICKS_PER_RAD = TICKS_PER_TURN / (2 * math.pi)
DUTY_PER_TICK = 0.166 / TICKS_PER_RAD
"""Duty per unit of P gain and tick of error."""
MAX_DUTY = 0.97
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
_INSTANT_S = 1e-9
_MULTI_TURN = 0x10
_DAMPING = 2
_LARGEST_LEAD = 400.0
"""How far the setpoint of velocity mode runs ahead of a joint that is held back [ticks]."""


class Mode(IntEnum):
    """Values of Operating_Mode."""

    POSITION = 0
    VELOCITY = 1
    PWM = 2
    STEP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the registers tell the drive, decoded once per write instead of once per step."""

    is_driving: bool
    mode: int
    has_goal: bool
    """Whether it makes for a position."""
    wanted_duty: float
    """In PWM mode."""
    wanted_speed: float
    """In velocity mode [ticks/s]."""
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
    def of(cls, memory: Memory, stall_nm: float) -> Settings:
        """Decode the registers of a servo with this torque at stall."""
        get, unloads_on = memory.get, memory.get("Unloading_Condition")
        low, high = get("Min_Position_Limit"), get("Max_Position_Limit")
        torque_limit, enable = min(get("Torque_Limit") / 1000, 1.0), get("Torque_Enable")
        hottest = float(get("Max_Temperature_Limit"))
        return cls(
            is_driving=bool(enable),
            mode=get("Operating_Mode"),
            has_goal=get("Operating_Mode") not in (Mode.VELOCITY, Mode.PWM),
            wanted_duty=get("Goal_Time") / 1000,
            wanted_speed=float(get("Goal_Velocity")),
            homing=get("Homing_Offset"),
            is_multi_turn=bool(get("Phase") & _MULTI_TURN),
            lowest_goal=low if low or high else -32767,
            highest_goal=high if low or high else 32767,
            gain=0.0 if enable == _DAMPING else get("P_Coefficient") * DUTY_PER_TICK,
            dead_zone=(-get("CCW_Dead_Zone"), get("CW_Dead_Zone")),
            speed=float(abs(get("Goal_Velocity"))) or DEFAULT_SPEED,
            acceleration=get("Acceleration") * ACCELERATION_UNIT,
            max_duty=min(MAX_DUTY, torque_limit),
            max_nm=stall_nm * torque_limit,
            overload_duty=get("Overload_Torque") / 100,
            protected_duty=get("Protective_Torque") / 100 if unloads_on & OVERLOAD else 1.0,
            protection_s=get("Protection_Time") / 100,
            hottest_c=hottest,
            unload_above_c=hottest if unloads_on & OVERHEAT else math.inf,
        )


class Drive:
    """Turns a goal into a torque, and remembers what the Present registers will show."""

    __slots__ = (
        "_age_s", "_goal", "_kt", "_late", "_nm_per_volt", "_overload_s", "_setpoint", "_speed", "_tick_at_zero",
        "_watt_per_nm2", "duty", "is_tripped", "latency_s", "nm", "position", "settings", "supply_v", "temperature_c",
        "velocity",
    )  # fmt: skip

    def __init__(self, tick_at_zero: float, settings: Settings, model: Model) -> None:
        self._tick_at_zero = tick_at_zero
        self.settings = settings
        self._kt, self._nm_per_volt = model.kt, model.kt / model.resistance
        self._watt_per_nm2 = model.resistance / model.kt**2
        self.supply_v, self.temperature_c = model.supply_v, AMBIENT_C
        self.is_tripped = False
        self.position = self._present(0.0)
        self.velocity = self.duty = self.nm = 0.0
        self.latency_s = self._age_s = 0.0
        self._late: deque[tuple[float, float]] = deque()  # when it is obeyed, and the goal
        self.hold()

    def hold(self) -> None:
        """Make the present position the goal, and forget an overload."""
        self._goal = self._setpoint = float(self.position)
        self._speed = self._overload_s = 0.0
        self._late.clear()

    def go(self, goal: int) -> None:
        """Make for `goal` [ticks], or for the nearest position limit; `latency_s` from now.

        In step mode the goal is so much further than the last one.
        """
        if self.settings.mode == Mode.STEP:
            within = self._goal + goal
        else:
            within = float(min(max(goal, self.settings.lowest_goal), self.settings.highest_goal))
        if self.latency_s:
            self._late.append((self._age_s + self.latency_s, within))
        else:
            self._goal = within

    @property
    def is_moving(self) -> bool:
        """Whether the profile is still on its way to the goal."""
        return self.settings.is_driving and self._setpoint != self._goal

    @property
    def faults(self) -> int:
        """The fault bits that hold right now, those of the supply excepted."""
        hot = OVERHEAT if self.temperature_c > self.settings.hottest_c else 0
        return hot | (OVERLOAD if self.is_tripped or self._overload_s > self.settings.protection_s else 0)

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        settings = self.settings
        if self._late:
            self._obey_late(dt)
        self.position = self._present(position_rad)
        self.velocity = velocity_rad_s
        if settings.is_driving and self.temperature_c <= settings.unload_above_c:
            duty, limit = self._wanted_duty(dt), settings.overload_duty
            if self._overload_s or self.is_tripped or not -limit <= duty <= limit:
                duty = self._protect(duty, dt)
            self.duty = duty
            nm = (duty * self.supply_v - self._kt * velocity_rad_s) * self._nm_per_volt
            limit = settings.max_nm
            if not -limit <= nm <= limit:
                nm = limit if nm > limit else -limit
        else:
            self.duty = nm = 0.0
        self.nm = nm
        heat_w = nm * nm * self._watt_per_nm2
        self.temperature_c += dt * (heat_w * WARMING_C_PER_J - (self.temperature_c - AMBIENT_C) * COOLING_PER_S)
        return nm

    def _obey_late(self, dt: float) -> None:
        """Take up the goals whose time has come."""
        while self._late and self._late[0][0] <= self._age_s + _INSTANT_S:
            self._goal = self._late.popleft()[1]
        self._age_s += dt

    def _present(self, position_rad: float) -> int:
        """What the encoder shows; it wraps after one turn unless the servo counts turns."""
        tick = math.floor(position_rad * TICKS_PER_RAD + self._tick_at_zero + 0.5) - self.settings.homing
        return tick if self.settings.is_multi_turn else tick % TICKS_PER_TURN

    def _wanted_duty(self, dt: float) -> float:
        settings = self.settings
        if not settings.has_goal:
            return self._duty_without_goal(dt)
        if self._setpoint != self._goal:
            self._advance(settings.speed, settings.acceleration, dt)
        error = self._setpoint - self.position
        low, high = settings.dead_zone
        if low <= error <= high:
            return 0.0
        duty, limit = settings.gain * error, settings.max_duty
        if -limit <= duty <= limit:
            return duty
        return limit if duty > limit else -limit

    def _duty_without_goal(self, dt: float) -> float:
        """Follow the wanted duty, or the wanted speed: a setpoint that runs ahead of the joint."""
        settings, limit = self.settings, self.settings.max_duty
        if settings.mode == Mode.PWM:
            return min(max(settings.wanted_duty, -limit), limit)
        change = settings.acceleration * dt or math.inf
        self._speed = min(max(settings.wanted_speed, self._speed - change), self._speed + change)
        lead = self._setpoint + self._speed * dt - self.position
        if not settings.is_multi_turn:
            lead = (lead + TICKS_PER_TURN / 2) % TICKS_PER_TURN - TICKS_PER_TURN / 2
        lead = min(max(lead, -_LARGEST_LEAD), _LARGEST_LEAD)
        self._goal = self._setpoint = self.position + lead
        return min(max(settings.gain * lead, -limit), limit)

    def _advance(self, top_speed: float, acceleration: float, dt: float) -> None:
        """Move the setpoint on a trapezoidal speed profile that ends at the goal."""
        distance, speed = self._goal - self._setpoint, self._speed
        length = abs(distance)
        if acceleration:
            braking, change = math.sqrt(2 * acceleration * length), acceleration * dt
            wanted = math.copysign(min(braking, top_speed), distance)
            if wanted > speed + change:
                speed += change
            elif wanted < speed - change:
                speed -= change
            else:
                speed = wanted
        else:
            speed = math.copysign(top_speed, distance)
        self._speed = speed
        step = speed * dt
        if step * distance >= 0 and abs(step) >= length:
            self._setpoint, self._speed = self._goal, 0.0
        else:
            self._setpoint += step

    def _protect(self, duty: float, dt: float) -> float:
        """Reduce the duty once it was too high for too long, until the load is gone."""
        settings = self.settings
        if self.is_tripped:
            return math.copysign(min(abs(duty), settings.protected_duty), duty)
        if abs(duty) <= settings.overload_duty:
            self._overload_s = 0.0
            return duty
        self._overload_s += dt
        if self._overload_s <= settings.protection_s:
            return duty
        return math.copysign(min(abs(duty), settings.protected_duty), duty)
