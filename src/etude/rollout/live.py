"""What a person wants to see of a rollout while it runs: looked at in the loop's spare time, drawn elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from etude.core.frame import Frame
from etude.envs.env import Step
from etude.hardware.device import Robot
from etude.hardware.health import Health
from etude.rollout.ticks import Ticks

EVERY_S, AT_LEAST_EVERY_S = 0.25, 1.0
"""How often a look is taken: when the loop has time to spare, and when it has none."""
SHOWN_S = 2.0
"""For how long what happened in one tick stays in view."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How a rollout is going, at one moment."""

    rate_hz: float = 0.0
    used_s: tuple[float, float] = (0.0, 0.0)
    """How long a tick works: as a rule, and at most."""
    num_ticks: int = 0
    """Of this rollout."""
    late_ticks: int = 0
    """Since the command began."""
    clipped: tuple[str, ...] = ()
    """What the safety gate changed a moment ago, and why."""
    events: tuple[str, ...] = ()
    """What went wrong a moment ago."""
    num_events: int = 0
    """Ticks in which something went wrong, since the command began."""
    health: Health = field(default_factory=Health)


class Recently:
    """The newest of some remarks, for as long as it is worth showing."""

    def __init__(self) -> None:
        self.count = 0
        self._remarks, self._made_s = (), 0.0

    def add(self, remarks: tuple[str, ...], now_s: float) -> None:
        """Take note of what is remarked at this tick, if anything is."""
        if remarks:
            self.count += 1
            self._remarks, self._made_s = remarks, now_s

    def shown(self, now_s: float) -> tuple[str, ...]:
        """Give what is worth showing now."""
        return self._remarks if now_s - self._made_s < SHOWN_S else ()


class LiveSink:
    """Looks at a rollout a few times a second and tells `show`, which must return at once.

    `spare` is to be called in the loop's spare time; where it is not, looks are taken all the same, but seldom.
    """

    def __init__(self, robot: Robot, ticks: Ticks, show: Callable[[View], None]) -> None:
        self._robot, self._ticks, self._show = robot, ticks, show
        self._clipped, self._events = Recently(), Recently()
        self._num_ticks, self._looked_s = 0, 0.0

    def begin(self, seed: int) -> None:
        """Count from 0."""
        del seed
        self._num_ticks = 0

    def tick(self, frame: Frame, step: Step) -> None:
        """Note what the tick brought."""
        del frame, step
        now = time.perf_counter()
        self._num_ticks += 1
        self._clipped.add(self._robot.clipped, now)
        self._events.add(self._robot.events, now)
        if now - self._looked_s > AT_LEAST_EVERY_S:
            self._look(now)

    def spare(self) -> None:
        """Take a look if it is time."""
        now = time.perf_counter()
        if now - self._looked_s > EVERY_S:
            self._look(now)

    def end(self, success: bool) -> None:
        """Leave the last look."""
        del success

    def abort(self, *exception: object) -> None:
        """Leave the last look."""
        del exception

    def _look(self, now: float) -> None:
        self._looked_s = now
        ticks = self._ticks
        view = View(
            rate_hz=ticks.rate_hz,
            used_s=ticks.used_s,
            num_ticks=self._num_ticks,
            late_ticks=ticks.late,
            clipped=self._clipped.shown(now),
            events=self._events.shown(now),
            num_events=self._events.count,
            health=self._robot.health(),
        )
        self._show(view)
