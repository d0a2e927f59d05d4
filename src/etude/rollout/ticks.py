"""The rhythm of a control loop: ends each tick on time, and keeps account of how well that went."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from etude.core.clock import Clock, RealClock
from etude.rollout.undisturbed import Priority, undisturbed

RECENT = 128
"""Ticks that the present rate is told from."""
BREATHLESS = 10
"""After so many ticks in a row without a moment of rest, a loop goes on as one program among others."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """How one tick went."""

    period_s: float
    """From its start to the start of the next one."""
    used_s: float
    """The part of it in which there was work; the rest was waited."""


class Ticks:
    """Account of all ticks since the beginning; the loop writes it, others may read it at any time."""

    def __init__(self) -> None:
        self.count = self.late = 0
        """Ticks in all, and those after which the next one began too late."""
        self.recent: deque[Tick] = deque(maxlen=RECENT)

    def add(self, tick: Tick, *, is_late: bool) -> None:
        """Note a tick that is over."""
        self.recent.append(tick)
        self.count += 1
        self.late += is_late

    @property
    def rate_hz(self) -> float:
        """How fast ticks follow one another at present; 0 before the first."""
        recent = list(self.recent)
        passed = sum(tick.period_s for tick in recent)
        return len(recent) / passed if passed > 0 else 0.0

    @property
    def used_s(self) -> tuple[float, float]:
        """How long ticks work at present: as a rule (median), and at most."""
        used = sorted(tick.used_s for tick in list(self.recent))
        return (used[len(used) // 2], used[-1]) if used else (0.0, 0.0)


class Pacer:
    """Ends each control tick on time, and notes in `ticks` those after which the next one begins too late.

    The rate is `hz`, or as fast as possible when that is 0. `on_slack` is called when a tick's work is done and there
    is time left.
    """

    def __init__(
        self,
        clock: Clock,
        hz: float,
        ticks: Ticks | None = None,
        *,
        tolerance_s: float = 0.001,
        on_slack: Callable[[], None] = lambda: None,
    ) -> None:
        self.clock, self.ticks = clock, ticks or Ticks()
        self._period, self._tolerance, self._on_slack = 1.0 / hz if hz else 0.0, tolerance_s, on_slack
        self._breathless, self._priority = 0, Priority()
        self.start()

    @contextmanager
    def undisturbed(self) -> Generator[None]:
        """Keep a loop in real time from being held up, for the length of a block; simulated time waits anyway.

        One that never rests gives its priority up, or nothing else would run on its processor.
        """
        if not isinstance(self.clock, RealClock) or not self._period:
            yield
            return
        self._breathless = 0
        with undisturbed() as self._priority:
            yield

    def start(self) -> float:
        """Begin the first tick now; give the time."""
        self._began = self._deadline = self.clock.now()
        return self._began

    def wait(self) -> None:
        """Return when the present tick is over. After a late one the rhythm starts anew; nothing is caught up."""
        done = self.clock.now()
        self._deadline += self._period
        self._breathless = 0 if done < self._deadline else self._breathless + 1
        if done < self._deadline:
            self._on_slack()
            self.clock.sleep_until(self._deadline)
        elif self._breathless == BREATHLESS:
            self._priority.give_up()
        now = self.clock.now()
        is_late = bool(self._period) and now > self._deadline + self._tolerance
        if done > self._deadline + self._tolerance or not self._period:
            self._deadline = now  # who woke up too late has not worked too long: the next tick may be on time again
        self.ticks.add(Tick(period_s=now - self._began, used_s=done - self._began), is_late=is_late)
        self._began = now
