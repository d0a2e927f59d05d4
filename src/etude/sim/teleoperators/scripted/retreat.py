"""Somebody who notices that the hand gets nowhere: a finger stands on something, or a thing is wedged in."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from etude.sim.moves import OPEN_RAD, View, Wish, length

_STUCK_S = 0.8
"""Longer than anybody hesitates."""
_RETREAT_S = 0.5
_STILL_M = 0.005
_STILL_RAD = math.radians(3)
_ABSENT_RAD = math.radians(6)
"""Fingers this far from closed hold nothing yet; on a block they stop at less."""
_UP_M = 0.06


class Retreat:
    """Goes up with open fingers for a moment when the hand stood still although it wants to be elsewhere."""

    def __init__(self, now_s: float) -> None:
        self._still_since_s = now_s
        self._hand, self._gripper_rad = np.zeros(3), 0.0
        self._until_s = -math.inf
        self.count = 0
        """How often it went back."""

    def reconsider(self, wish: Wish, view: View, now_s: float) -> Wish:
        """Give `wish`, or what leads out of where the hand is stuck."""
        if self._gets_somewhere(wish, view):
            self._hand, self._gripper_rad, self._still_since_s = view.hand, view.gripper_rad, now_s
        if now_s - self._still_since_s > _STUCK_S:
            self._still_since_s, self._until_s = now_s, now_s + _RETREAT_S
            self.count += 1
        if now_s >= self._until_s:
            return wish
        gripper_rad = wish.gripper_rad if view.grasped else OPEN_RAD
        return replace(wish, position=view.hand + np.array([0, 0, _UP_M]), gripper_rad=gripper_rad)

    def _gets_somewhere(self, wish: Wish, view: View) -> bool:
        """Whether what is wanted happens: the fingers close, the hand moves, or it is where it should be."""
        if view.gripper_rad - wish.gripper_rad > _ABSENT_RAD:
            return abs(view.gripper_rad - self._gripper_rad) > _STILL_RAD
        is_there = length(wish.position - view.hand) < _STILL_M
        return is_there or length(view.hand - self._hand) > _STILL_M
