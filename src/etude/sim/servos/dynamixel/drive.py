"""What firmware and motor of a Dynamixel do between two physics steps: encoder, profile, control law, torque.

The control laws and their scales are those of the e-Manual: gains over 128 (P), 65536 (I) and 16 (D), counted in ticks,
units of speed and milliseconds, and a PWM of 885 is the whole supply. How much load for how long trips the overload
protection, and how fast a servo warms up, are not documented: they are guesses.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from etude.sim.servos.dynamixel.memory import Memory
from etude.sim.servos.dynamixel.models import Mode, Model

TICKS_PER_TURN = 4096
TICKS_PER_RAD = TICKS_PER_TURN / (2 * math.pi)
SPEED_UNIT = 0.229 * TICKS_PER_TURN / 60
"""[ticks/s]"""
ACCELERATION_UNIT = 214.577 * TICKS_PER_TURN / 3600
"""[ticks/s^2]"""
FULL_PWM = 885

VOLTAGE, OVERHEAT, OVERLOAD = 1, 4, 32
"""Bits of Hardware_Error_Status."""
AMBIENT_C = 25.0
_COOLING_PER_S = 1.0 / 1200.0
_WARMING_C_PER_J = 8.0 * _COOLING_PER_S
_OVERLOAD_SHARE, _OVERLOAD_S = 0.8, 1.5
_REVERSE, _TIMED = 1, 4
_INSTANT_S = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the registers tell the drive, decoded once per write instead of once per step."""

    is_driving: bool
    mode: int
    sign: int
    homing: int
    gains: tuple[float, float, float]
    """P, I, D of the loop in use, for PWM."""
    max_pwm: float
    max_nm: float
    profile: tuple[float, float]
    """Speed and acceleration [ticks/s, ticks/s^2], or durations [s] where the profile is timed; 0 is no limit."""
    is_timed: bool
    goal_pwm: float
    goal_nm: float
    goal_speed: float
    """[ticks/s]"""

    @classmethod
    def of(cls, memory: Memory, model: Model) -> Settings:
        """Decode the registers."""
        get, mode = memory.get, memory.get("Operating_Mode")
        drive_mode, nm_per_ma = get("Drive_Mode"), model.stall_nm / model.stall_a / 1000
        velocity = (get("Velocity_P_Gain") / 128 / SPEED_UNIT, get("Velocity_I_Gain") / 65.536 / SPEED_UNIT, 0.0)
        position = get("Position_P_Gain") / 128, get("Position_I_Gain") / 65.536, get("Position_D_Gain") / 16e3
        speed, acceleration = get("Profile_Velocity"), get("Profile_Acceleration")
        is_timed = bool(drive_mode & _TIMED)
        scale = (1e-3, 1e-3) if is_timed else (SPEED_UNIT, ACCELERATION_UNIT)
        has_limit = mode in (Mode.CURRENT, Mode.CURRENT_POSITION)
        limit_ma = abs(get("Goal_Current")) if has_limit else get("Current_Limit")
        return cls(
            is_driving=bool(get("Torque_Enable")),
            mode=mode,
            sign=-1 if drive_mode & _REVERSE else 1,
            homing=get("Homing_Offset"),
            gains=velocity if mode == Mode.VELOCITY else position,
            max_pwm=float(min(abs(get("Goal_PWM")), get("PWM_Limit"))),
            max_nm=min(model.stall_nm, limit_ma * nm_per_ma if model.senses_current else model.stall_nm),
            profile=(speed * scale[0], acceleration * scale[1]),
            is_timed=is_timed,
            goal_pwm=float(get("Goal_PWM")),
            goal_nm=get("Goal_Current") * nm_per_ma,
            goal_speed=get("Goal_Velocity") * SPEED_UNIT,
        )


class Drive:
    """Turns goals into a torque, and remembers what the Present registers will show."""

    def __init__(self, tick_at_zero: float, settings: Settings, model: Model) -> None:
        self._tick_at_zero, self._model = tick_at_zero, model
        self.settings = settings
        self.supply_v, self.temperature_c = model.supply_v, AMBIENT_C
        self.is_tripped = False
        """Whether somebody says that it is overloaded, whatever the load is."""
        self._nm_per_volt = model.kt / model.resistance
        self._raw, self._turns = math.floor(tick_at_zero + 0.5), 0
        self.velocity = self.pwm = self.nm = self.age_s = self.latency_s = 0.0
        self._late: deque[tuple[float, float]] = deque()
        self.is_overloaded = False
        self.forget_turns()
        self.hold()

    def forget_turns(self) -> None:
        """Count turns anew: the position lies in the first one, as after a restart."""
        self._turns = math.floor(self.settings.sign * self._raw / TICKS_PER_TURN)

    def hold(self) -> None:
        """Make the present position the goal, and forget what was summed up."""
        self.setpoint = self.goal = float(self.position)
        self.speed = self._integral = self._overload_s = 0.0
        self._top_speed, self._acceleration = math.inf, 0.0
        self.is_overloaded = False
        self._late.clear()

    @property
    def position(self) -> int:
        """What the encoder shows [ticks]; in position mode it wraps after one turn."""
        settings = self.settings
        value = settings.sign * self._raw - self._turns * TICKS_PER_TURN + settings.homing
        return value % TICKS_PER_TURN if settings.mode == Mode.POSITION else value

    @property
    def is_moving(self) -> bool:
        """Whether the profile is still on its way to the goal."""
        return self.settings.is_driving and self.setpoint != self.goal

    def go(self, goal: float) -> None:
        """Make for `goal` [ticks], `latency_s` from now."""
        self._late.append((self.age_s + self.latency_s, goal))
        if not self.latency_s:
            self._obey_late()

    def torque(self, position_rad: float, velocity_rad_s: float, dt: float) -> float:
        """Give the motor's torque [Nm] for the next `dt` seconds, with the joint where it is now."""
        settings = self.settings
        self._raw = math.floor(position_rad * TICKS_PER_RAD + self._tick_at_zero + 0.5)
        self.velocity = settings.sign * velocity_rad_s * TICKS_PER_RAD
        if self._late:
            self._obey_late()
        self.age_s += dt
        nm = 0.0
        if settings.is_driving:
            nm = settings.sign * self._driven_nm(settings.sign * velocity_rad_s, dt)
        else:
            self.pwm = 0.0
        self.nm = nm
        amperes = nm / self._model.stall_nm * self._model.stall_a
        heat_w = amperes * amperes * self._model.supply_v / self._model.stall_a
        self.temperature_c += dt * (heat_w * _WARMING_C_PER_J - (self.temperature_c - AMBIENT_C) * _COOLING_PER_S)
        return nm

    def _driven_nm(self, velocity_rad_s: float, dt: float) -> float:
        settings, limit = self.settings, self.settings.max_pwm
        pwm = self._wanted_pwm(velocity_rad_s, dt)
        self.pwm = pwm = limit if pwm > limit else max(pwm, -limit)
        nm = (pwm / FULL_PWM * self.supply_v - self._model.kt * velocity_rad_s) * self._nm_per_volt
        nm = settings.max_nm if nm > settings.max_nm else max(nm, -settings.max_nm)
        self._overload_s = self._overload_s + dt if abs(nm) > _OVERLOAD_SHARE * self._model.stall_nm else 0.0
        self.is_overloaded |= self._overload_s > _OVERLOAD_S
        return nm

    def _wanted_pwm(self, velocity_rad_s: float, dt: float) -> float:
        settings = self.settings
        p, i, d = settings.gains
        match settings.mode:
            case Mode.PWM:
                return settings.goal_pwm
            case Mode.CURRENT:
                volts = settings.goal_nm / self._nm_per_volt + self._model.kt * velocity_rad_s
                return volts / self.supply_v * FULL_PWM
            case Mode.VELOCITY:
                self.speed = _towards(self.speed, settings.goal_speed, settings.profile[1] * dt or math.inf)
                error = self.speed - self.velocity
                self._sum_up(error, i, dt)
                return p * error + i * self._integral
        if self.setpoint != self.goal:
            self._advance(dt)
        error = self.setpoint - self.position
        self._sum_up(error, i, dt)
        return p * error + i * self._integral + d * (self.speed - self.velocity)

    def _sum_up(self, error: float, gain: float, dt: float) -> None:
        """Add to the integral, which on its own asks for no more than the whole supply."""
        if gain:
            self._integral = min(max(self._integral + error * dt, -FULL_PWM / gain), FULL_PWM / gain)

    def _obey_late(self) -> None:
        while self._late and self._late[0][0] <= self.age_s + _INSTANT_S:
            self.goal = self._late.popleft()[1]
            self._plan()

    def _plan(self) -> None:
        """Choose the profile for a new goal; a timed one is as fast as its duration asks."""
        self._top_speed, self._acceleration = self.settings.profile
        if self.settings.is_timed:
            duration_s, ramp_s = self.settings.profile
            self._top_speed = abs(self.goal - self.setpoint) / max(duration_s - ramp_s, 1e-3) if duration_s else 0.0
            self._acceleration = self._top_speed / ramp_s if ramp_s else 0.0

    def _advance(self, dt: float) -> None:
        """Move the setpoint on a trapezoidal speed profile that ends at the goal; without a limit, at once."""
        distance = self.goal - self.setpoint
        if not self._top_speed:
            self.setpoint, self.speed = self.goal, 0.0
            return
        wanted = math.copysign(self._top_speed, distance)
        if self._acceleration:
            braking = math.sqrt(2 * self._acceleration * abs(distance))
            wanted = math.copysign(min(self._top_speed, braking), distance)
            self.speed = _towards(self.speed, wanted, self._acceleration * dt)
        else:
            self.speed = wanted
        step = self.speed * dt
        if step * distance >= 0 and abs(step) >= abs(distance):
            self.setpoint, self.speed = self.goal, 0.0
        else:
            self.setpoint += step


def _towards(value: float, wanted: float, most: float) -> float:
    return min(max(wanted, value - most), value + most)
