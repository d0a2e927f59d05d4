"""Time, injected: a loop asks a clock, so a test takes microseconds and a simulation outruns real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Something that knows the time and can wait."""

    def now(self) -> float:
        """Seconds since some fixed instant."""
        ...

    def sleep_until(self, instant: float) -> None:
        """Return at `instant`, or at once when it has passed."""
        ...


def passed_s(since: float, now: float) -> float:
    """Give the time from `since` to `now` [s], to the nanosecond: further digits tell only how long a clock has run.

    So what happens in an episode does not depend on how many came before it.
    """
    return round(now - since, 9)


AWAKE_S = 0.0008
"""How long before an appointment one is awake and waits with open eyes: systems wake who sleeps a little late."""


class RealClock:
    """The wall's time."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.perf_counter()

    def sleep_until(self, instant: float) -> None:
        """Sleep until just before `instant`, then wait for it awake, so that it is met to a few microseconds."""
        remaining = instant - AWAKE_S - time.perf_counter()
        if remaining > 0:
            time.sleep(remaining)
        while time.perf_counter() < instant:
            pass


class SimClock:
    """A time that passes only while somebody sleeps; what happens meanwhile is told to `on_advance`."""

    def __init__(self, on_advance: Callable[[float], None] | None = None) -> None:
        self._now = 0.0
        self._on_advance = on_advance

    def now(self) -> float:
        """Simulated seconds."""
        return self._now

    def sleep_until(self, instant: float) -> None:
        """Let simulated time pass until `instant`."""
        elapsed = instant - self._now
        if elapsed <= 0:
            return
        if self._on_advance:
            self._on_advance(elapsed)
        self._now = instant
