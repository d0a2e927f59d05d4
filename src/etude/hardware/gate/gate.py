"""The safety gate: every action passes it on the way to the motors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from etude.hardware.gate.table import Table

START_SPEED = 60.0
"""Speed at which a joint first goes where it is sent, until it is there [units/s]."""
START_ACCELERATION = 120.0
"""How fast that limit rises, so that a joint that is led catches up in the end [units/s^2]."""
_FIRST_TICK_S = 1 / 30
"""How long the first action after a start is taken to last."""
_LONGEST_TICK_S = 0.1
"""After a longer pause an arm may still only move as far as in this time."""
_STEP_DIGITS = 6
"""Decimals of the longest step of a tick; more would tell how long the clock has run, whose float grows coarser."""
_SLACK = 2.0
"""Measured motion beyond what the arm can do by itself, before it counts as being moved by others [units]."""
_FASTEST = 600.0
"""Faster than any joint turns [units/s]."""
_SAG = 3.0
"""How far an arm at rest hangs below its goal. To hold it where it hangs would let it sink, again and again [units]."""


class Gate:
    """Keeps actions within limits, speed and reach; after a jump of the pose it starts gently again.

    `low`, `high` and `max_reach` are per joint, in the action's units; `max_reach` is how far ahead of the measured
    position a joint may be sent, infinite for any; `max_speed` is in units per second. What is sent is never farther
    than one tick at the allowed speed from what was sent before, or from where the joint is.
    """

    def __init__(
        self,
        names: Sequence[str],
        limits: tuple[np.ndarray, np.ndarray],
        *,
        max_reach: np.ndarray,
        max_speed: float,
        stale_s: float = np.inf,
        table: Table | None = None,
    ) -> None:
        self._names, (self._low, self._high) = tuple(names), limits
        self._max_reach, self._max_speed = max_reach, max_speed
        self._stale_s, self._table = stale_s, table
        self.measured = self._last = np.zeros(len(self._names))
        """Where the joints were seen last (joint,)."""
        self._seen_at = self._sent_at = self._started_at = 0.0
        self._is_starting = np.ones(len(self._names), bool)
        self._held: np.ndarray | None = None
        self._is_fresh = True
        self.stopped_by = ""
        """Why the arm holds still; empty while it may move."""

    def start(self, measured: np.ndarray, now: float) -> None:
        """Take the measured pose (joint,) as the one to leave gently."""
        self.measured = self._last = measured.astype(np.float64)
        self._seen_at = self._started_at = now
        self._sent_at = now - _FIRST_TICK_S
        self._is_starting = np.ones(len(self._names), bool)
        self._held, self._is_fresh = None, True

    def see(self, measured: np.ndarray, now: float) -> None:
        """Note a measured pose; start again when it jumped, such as after a reset or when somebody moved the arm."""
        elapsed = now - self._seen_at
        jump = np.abs(measured - self.measured).max()
        # In no time nothing moves by itself: a simulated scene was reset, if only to a pose close by.
        is_reset = elapsed < 0 or jump > (_SLACK + _FASTEST * elapsed if elapsed else 0.0)
        if is_reset or self._is_fresh:  # until something is sent, the pose to leave is where the arm is by now
            self.start(measured, now)
        self.measured, self._seen_at = measured.astype(np.float64), now

    def admit(self, action: np.ndarray, now: float) -> tuple[np.ndarray, tuple[str, ...]]:
        """Give the action (joint,) that may be sent, float32, and why it is another than the one asked for."""
        if self.stopped_by:
            return self.hold(now), (f"the arm holds still: {self.stopped_by}",)
        if self._held is not None or self.is_stale(now):
            self._start_gently(now)
        return self._pass(action, now)

    def hold(self, now: float) -> np.ndarray:
        """Give the pose that holds the arm where it is (joint,), float32, reached no faster than it may move."""
        if self._held is None:
            self._held = np.clip(self._last, self.measured - _SAG, self.measured + _SAG)
        return self._pass(self._held, now)[0]

    def is_stale(self, now: float) -> bool:
        """Whether nothing was asked for so long that the arm should hold."""
        return now - self._sent_at > self._stale_s

    def stop(self, why: str) -> None:
        """Let nothing move until `resume`."""
        self.stopped_by = self.stopped_by or why

    def resume(self, now: float) -> None:
        """Let things move again, gently at first."""
        if self.stopped_by:
            self.stopped_by = ""
            self._start_gently(now)

    def _start_gently(self, now: float) -> None:
        """Leave the pose that is held, as after a start."""
        self._held = None
        self._started_at, self._sent_at = now, now - _FIRST_TICK_S
        self._is_starting = np.ones(len(self._names), bool)

    def _pass(self, action: np.ndarray, now: float) -> tuple[np.ndarray, tuple[str, ...]]:
        wanted = np.where(np.isfinite(action), action, self._last)
        step = np.round(self._speed(now) * min(max(now - self._sent_at, 0.0), _LONGEST_TICK_S), _STEP_DIGITS)
        limited = _bounded(wanted, self._low, self._high)
        slowed = _bounded(limited, self._last - step, self._last + step)
        near = _bounded(slowed, self.measured - self._max_reach, self.measured + self._max_reach)
        above = self._table.keep_above(near, self._last) if self._table else near
        self._is_starting &= slowed != limited
        self._last, self._sent_at, self._is_fresh = above, now, False
        if np.array_equal(above, action):
            return above.astype(np.float32), ()
        stages = (
            ("is not a number", action, wanted),
            ("is beyond its limits", wanted, limited),
            ("is faster than allowed", limited, slowed),
            ("is too far from where the joint is", slowed, near),
            ("would lead the hand below the table", near, above),
        )
        return above.astype(np.float32), tuple(self._reasons(stages))

    def _speed(self, now: float) -> np.ndarray:
        """Give the speed allowed to each joint; those that have not caught up since the start go gently."""
        gentle = min(self._max_speed, START_SPEED + START_ACCELERATION * (now - self._started_at))
        return np.where(self._is_starting, gentle, self._max_speed)

    def _reasons(self, stages: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Iterator[str]:
        for problem, before, after in stages:
            for joint in np.flatnonzero(before != after):
                yield f"{self._names[joint]} {problem}: asked for {before[joint]:.1f}, given {after[joint]:.1f}"


def _bounded(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Clip `values`; for the few joints of an arm several times faster than `np.clip`."""
    return np.minimum(np.maximum(values, low), high)
