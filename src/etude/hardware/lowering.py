"""Bringing an arm to rest before it is let go, by the driver or, where that died, by its guardian."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from etude.core.clock import Clock
from etude.core.errors import MotorSilent
from etude.hardware.bus import MotorBus

SPEED = 450.0
"""About 40 degrees in a second [ticks/s]."""
_HZ = 50.0
_LAG = 350.0
"""A joint that stays so far behind pushes against something [ticks]."""
_THERE = 60.0
"""Gravity keeps a joint from coming nearer [ticks]."""
_SETTLE_S = 1.0
_PATIENCE = 5
"""How often motors are asked where they are; an arm in the air should not fall for a lost answer."""


def lower(bus: MotorBus, rest: Mapping[str, int], clock: Clock, speed: float = SPEED) -> bool:
    """Bring the joints of `rest` to their goals [ticks], the first one ahead; tell whether they came there.

    The first is the one that lifts the others off the table. It gives up where a joint is held back.
    """
    first = list(rest)[:1]
    return all(_move(bus, {motor: rest[motor] for motor in motors}, clock, speed) for motors in (first, list(rest)))


def _move(bus: MotorBus, rest: Mapping[str, int], clock: Clock, speed: float) -> bool:
    """Move along a straight line in joint space, then wait until the joints are there or rest short of it."""
    if not rest:
        return True
    start = _where(bus, rest)
    ticks = max(1.0, max(abs(rest[motor] - start[motor]) for motor in rest) / speed * _HZ)
    for tick in range(1, int(ticks) + 2 + int(_SETTLE_S * _HZ)):
        share = min(tick / ticks, 1.0)
        goal = {motor: round(start[motor] + share * (rest[motor] - start[motor])) for motor in rest}
        bus.sync_write("Goal_Position", goal)
        clock.sleep_until(clock.now() + 1 / _HZ)
        here = _where(bus, rest)
        behind = max(abs(goal[motor] - here[motor]) for motor in rest)
        if behind > _LAG:
            bus.sync_write("Goal_Position", here)
            return False
        if share == 1.0 and behind < _THERE:
            return True
    return True


def _where(bus: MotorBus, motors: Iterable[str]) -> dict[str, int]:
    for _ in range(_PATIENCE - 1):
        with suppress(MotorSilent):
            return bus.sync_read("Present_Position", motors)
    return bus.sync_read("Present_Position", motors)
