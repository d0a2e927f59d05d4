"""Somebody whose mind wanders: hesitates now and then, and lets things slip."""

from __future__ import annotations

import numpy as np

_BETWEEN_PAUSES_S = (0.6, 2.5)
_SHORTEST_PAUSE_S = 0.1
_HELD_S = (0.2, 1.2)
"""How long a thing is held before it slips."""
_SLIP_S = 0.3


class Lapses:
    """Decides when the hand stops for a moment and when, once an episode at most, the fingers open by mistake."""

    def __init__(self, rng: np.random.Generator, *, pause_s: float, slips: float) -> None:
        """Pause for up to `pause_s`; let something slip in a share `slips` of all episodes."""
        self._rng, self._pause_s = rng, pause_s
        self._pause = (rng.uniform(*_BETWEEN_PAUSES_S), 0.0)
        self._slips_after_s = rng.uniform(*_HELD_S) if rng.uniform() < slips else np.inf
        self._held_s = 0.0

    def is_pausing(self, now_s: float) -> bool:
        """Whether the hand hesitates now."""
        if not self._pause_s:
            return False
        begin, length = self._pause
        if now_s >= begin + length:
            begin = now_s + self._rng.uniform(*_BETWEEN_PAUSES_S) if length else now_s
            length = self._rng.uniform(min(_SHORTEST_PAUSE_S, self._pause_s), self._pause_s)
            self._pause = (begin, length)
        return now_s >= begin

    def is_slipping(self, elapsed_s: float, *, holds: bool) -> bool:
        """Whether the fingers open by mistake now, `elapsed_s` after the last look; `holds` while they hold a thing."""
        if holds or self._held_s >= self._slips_after_s:
            self._held_s += elapsed_s
        return self._slips_after_s <= self._held_s < self._slips_after_s + _SLIP_S
