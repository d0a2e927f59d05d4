"""How often something happens, measured."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 2.0


class Pace:
    """Counts pictures and tells how many come in a second."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=256)

    def tick(self, now_s: float) -> None:
        """Note that a picture came at `now_s`."""
        self._times.append(now_s)

    def fps(self, now_s: float) -> float:
        """Give the pictures per second of the last two seconds; 0 when fewer than two came."""
        recent = [time_s for time_s in tuple(self._times) if time_s > now_s - _WINDOW_S]
        span_s = recent[-1] - recent[0] if recent else 0.0
        return (len(recent) - 1) / span_s if span_s > 0 else 0.0
