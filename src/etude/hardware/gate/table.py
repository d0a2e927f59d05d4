"""The plane under an arm, below which no part of its hand may be sent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_HALVINGS = 5


class Table:
    """Shortens moves that would lead below `height_m`; what still can move along the plane does.

    `lowest` gives the height of the hand's lowest point [m] for joints in the action's units.
    """

    def __init__(self, height_m: float, lowest: Callable[[np.ndarray], float]) -> None:
        self.height_m, self._lowest = height_m, lowest

    def keep_above(self, goal: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Give the nearest to `goal` (joint,) on the way from `before`; from below the plane only upwards."""
        if self._lowest(goal) >= self.height_m:
            return goal
        floor = min(self.height_m, self._lowest(before))
        reached = self._along(before, goal, floor)
        for joint in range(len(goal)):
            tried = reached.copy()
            tried[joint] = goal[joint]
            if self._lowest(tried) >= floor:
                reached = tried
        return reached

    def _along(self, before: np.ndarray, goal: np.ndarray, floor: float) -> np.ndarray:
        """Go from `before` to `goal` as far as the hand stays above `floor`."""
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            is_above = self._lowest(before + middle * (goal - before)) >= floor
            low, high = (middle, high) if is_above else (low, middle)
        return before + low * (goal - before)
