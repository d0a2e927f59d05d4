"""What the encoders of an arm show by themselves, whatever offsets the motors hold, counted on beyond a turn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from etude.hardware.arm_kind import ArmKind
from etude.hardware.bodies import body, names
from etude.hardware.bus import MotorBus
from etude.hardware.calibrating.steps import Swept


class Encoders:
    """Follows encoders across their zero, and remembers how far each joint has come.

    Between two looks no joint may turn by half a turn, or nobody can tell which way it went.
    """

    def __init__(self, kind: ArmKind, bus: MotorBus, motors: Iterable[str]) -> None:
        self._bus, self._motors = bus, tuple(motors)
        self._offsets = bus.sync_read("Homing_Offset", self._motors)
        self._expected = expected_deg(kind)
        first = self._raw(bus.sync_read("Present_Position", self._motors))
        self._now = {motor: first[motor] for motor in self._motors}
        self._low, self._high = dict(self._now), dict(self._now)

    def look(self) -> dict[str, int]:
        """Read where the joints are now: ticks by motor."""
        raw = self._raw(self._bus.poll("Present_Position"))
        for motor in self._motors:
            turn = self._bus.resolution(motor)
            step = (raw[motor] - self._now[motor] + turn // 2) % turn - turn // 2
            self._now[motor] += step
            self._low[motor] = min(self._low[motor], self._now[motor])
            self._high[motor] = max(self._high[motor], self._now[motor])
        return dict(self._now)

    def forget(self, motors: Iterable[str]) -> None:
        """Let what `motors` did so far be as if it had not been."""
        for motor in motors:
            self._low[motor] = self._high[motor] = self._now[motor]

    def rehomed(self, motor: str, offset: int) -> None:
        """Note that `motor` was given another offset."""
        self._offsets[motor] = offset

    def swept(self) -> dict[str, Swept]:
        """Tell how far each joint has come."""
        return {
            motor: Swept(
                low=self._low[motor],
                now=self._now[motor],
                high=self._high[motor],
                resolution=self._bus.resolution(motor),
                expected_deg=self._expected.get(motor),
            )
            for motor in self._motors
        }

    def _raw(self, present: Mapping[str, int]) -> dict[str, int]:
        """Take out the offsets that the motors hold."""
        sign = self._bus.homing_sign
        return {motor: present[motor] - sign * self._offsets[motor] for motor in self._motors}


def expected_deg(kind: ArmKind) -> dict[str, float]:
    """Give how far the joints can turn as far as the arm's body is known [degrees]."""
    if kind.body not in names():
        return {}
    ranges = {link.joint: link.range_rad for link in body(kind.body).links}
    return {
        motor: math.degrees(ranges[motor][1] - ranges[motor][0])
        for motor in kind.motors
        if motor in ranges and motor not in kind.endless
    }
