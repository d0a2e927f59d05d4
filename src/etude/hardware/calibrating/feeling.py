"""Motors that feel for the stops of their joints: slow, weak, and held back at the first sign of trouble."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import replace

from etude.core.clock import Clock
from etude.core.errors import DeviceError
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import MotorBus
from etude.hardware.calibrating.encoders import Encoders
from etude.hardware.calibrating.steps import Swept

_SPEED = 450
"""[ticks/s], 40 degrees per second."""
_STRENGTH = {"shoulder_lift": 600, "elbow_flex": 450}
_LEAST_STRENGTH = 300
"""Share of the full torque [1/1000]: what lifts the joint's own weight, and little more."""
_ROOM = 200
"""Where a joint is made to read that is at its lower end; at its upper end it reads as much below a whole turn."""
_STILL_TICKS, _STILL_S, _STUCK_S = 4, 0.7, 2.0
"""A joint that moves no further in the first time has arrived where it should be; in the second, it has not."""
_PUSHING = 0.8
"""Share of the strength allowed at which a motor that does not move is at a stop."""
_LONGEST_S = 20.0
_NEAR_TICKS = 80
"""A weak motor comes no nearer than that to its goal under a load."""
_RELAX_S = 0.3
_NOTICE_S = 0.03
"""How long a motor takes, amply, until its position is told with a new offset."""


class Feeler:
    """Moves joints one at a time, and knows of each what was found of its range."""

    def __init__(self, kind: ArmKind, bus: MotorBus, clock: Clock, encoders: Encoders) -> None:
        self._kind, self._bus, self._clock, self._encoders = kind, bus, clock, encoders
        self._stops: dict[str, dict[int, int]] = {motor: {} for motor in kind.motors}

    def begin(self, first: Mapping[str, int]) -> None:
        """Make the motors weak and slow and let them hold; `first` tells which way each will go first."""
        for motor in self._kind.motors:
            self._bus.write("Torque_Enable", motor, 0, despite_faults=True)
            self._set_up(motor)
            self._bus.write("Torque_Limit", motor, _STRENGTH.get(motor, _LEAST_STRENGTH))
            self._bus.write("Goal_Velocity", motor, _SPEED)
            self._make_room(motor, -first.get(motor, 0))

    def swept(self) -> dict[str, Swept]:
        """Tell how far the joints have come, those with stops."""
        return {motor: joint for motor, joint in self._encoders.swept().items() if motor not in self._kind.endless}

    def found(self) -> dict[str, Swept]:
        """Tell the ranges between the stops that were found."""
        swept = self.swept()
        return {
            motor: replace(joint, low=self._stops[motor][-1], high=self._stops[motor][+1])
            for motor, joint in swept.items()
        }

    def seek(self, motor: str, direction: int) -> Generator[None, None, None]:
        """Turn `motor` until it stops; raise `DeviceError` when it never does."""
        turn = self._bus.resolution(motor)
        self._bus.write("Goal_Position", motor, turn - 1 if direction > 0 else 0)
        strength = _STRENGTH.get(motor, _LEAST_STRENGTH) / 1000
        yield from self._until_still(motor, lambda load: load * direction >= _PUSHING * strength)
        if self._load(motor) * direction < _PUSHING * strength:
            raise DeviceError(
                f"'{motor}' turned to the end of its encoder and met no stop. Is its horn screwed down? "
                "Calibrate by hand: leave out --auto."
            )
        self._hold(motor)
        yield from self._wait(_RELAX_S)
        self._stops[motor][direction] = self._encoders.look()[motor]
        if len(self._stops[motor]) == 1:
            self._make_room(motor, direction)

    def go(self, motor: str, deg: float, range_deg: tuple[float, ...]) -> Generator[None, None, None]:
        """Turn `motor` to an angle of its body, whose range is `range_deg`, counted from a stop that was found."""
        direction, stop = next(iter(self._stops[motor].items()))
        turn = self._bus.resolution(motor)
        from_stop = (deg - range_deg[0 if direction < 0 else 1]) * turn / 360
        now, goal = self._encoders.look()[motor], stop + round(from_stop)
        self._bus.write("Goal_Position", motor, self._bus.read("Present_Position", motor) + goal - now)
        yield from self._until_still(motor, lambda _: abs(self._encoders.look()[motor] - goal) < _NEAR_TICKS)
        off = abs(self._encoders.look()[motor] - goal)
        if off > turn // 12:
            raise DeviceError(
                f"'{motor}' stopped {off * 360 / turn:.0f} degrees before where it was sent. Is something in its way?"
            )

    def hold(self) -> None:
        """Let every motor that can be reached hold where it is."""
        for motor in self._kind.motors:
            with suppress(DeviceError):
                self._hold(motor)

    def release(self) -> None:
        """Let go."""
        for motor in self._kind.motors:
            with suppress(DeviceError):
                self._bus.write("Torque_Enable", motor, 0, despite_faults=True)

    def _until_still(self, motor: str, is_there: Callable[[float], bool]) -> Generator[None, None, None]:
        """Look until the joint stands still where it should, as `is_there` tells by the load, or gets no further."""
        start = since = self._clock.now()
        place = self._encoders.look()[motor]
        while self._clock.now() - since < _STUCK_S:
            yield
            if is_there(self._load(motor)) and self._clock.now() - since > _STILL_S:
                return
            now = self._encoders.look()[motor]
            if abs(now - place) > _STILL_TICKS:
                place, since = now, self._clock.now()
            if self._clock.now() - start > _LONGEST_S:
                raise DeviceError(f"'{motor}' has been turning for {_LONGEST_S:.0f} s and does not come to an end.")

    def _wait(self, seconds: float) -> Generator[None, None, None]:
        end = self._clock.now() + seconds
        while self._clock.now() < end:
            yield
            self._encoders.look()

    def _load(self, motor: str) -> float:
        """Read how hard a motor pushes; raise `DeviceError` when it complains."""
        vitals = self._bus.vitals(motor)
        if vitals.faults:
            felt = f"{vitals.voltage_v:.1f} V, {vitals.temperature_c:.0f} °C"
            raise DeviceError(f"'{motor}' reports {', '.join(vitals.faults)} ({felt}).")
        return vitals.load

    def _hold(self, motor: str) -> None:
        self._bus.write("Goal_Position", motor, self._bus.read("Present_Position", motor))

    def _pause(self) -> None:
        self._clock.sleep_until(self._clock.now() + _NOTICE_S)

    def _make_room(self, motor: str, at_end: int) -> None:
        """Choose the offset so that a joint at its lower (-1) or upper (+1) end can turn the other way freely."""
        bus, turn = self._bus, self._bus.resolution(motor)
        reading = {-1: _ROOM, 0: turn // 2, 1: turn - 1 - _ROOM}[at_end]
        bus.write("Torque_Enable", motor, 0)  # a motor that drives would jump when its position changes its name
        shift = (reading - self._encoders.look()[motor] + turn // 2) % turn - turn // 2
        offset = bus.homing_sign * max(shift, -bus.max_offset)
        bus.write("Homing_Offset", motor, offset)
        self._encoders.rehomed(motor, offset)
        self._pause()
        self._hold(motor)
        bus.write("Torque_Enable", motor, 1)

    def _set_up(self, motor: str) -> None:
        """Set a motor up for its make, free to turn."""
        bus, kind = self._bus, self._kind
        wanted = {**kind.settings.get("", {}), **kind.settings.get(motor, {})}
        wanted |= {name: bus.read(name, motor) & ~bits for name, bits in kind.cleared_bits.items()}
        wanted |= {"Min_Position_Limit": 0, "Max_Position_Limit": bus.resolution(motor) - 1}
        for name, value in wanted.items():
            bus.write(name, motor, value)
