"""When a script takes over from a skill: when the hand gets nowhere, or when it takes too long.

It knows of no block and no bin, only where the demonstrator, who sees all of the scene, would have the hand now.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol, runtime_checkable

from etude.sim.moves import View, Wish, length

NO_PROGRESS, TOO_LONG = "no progress", "took too long"
LEAST_GAIN_M = 0.01
"""Progress in the time of one's patience that is none."""
_LEVER_M = 0.06
"""From the hinge of the fingers to their tips: opening by a radian counts as so much of a way."""
_THERE_M, _THERE_RAD = 0.005, 0.1


@runtime_checkable
class Demonstrator(Protocol):
    """Somebody who knows at any time what he would do."""

    def consider(self) -> tuple[View, Wish]:
        """Tell what he sees, and what he would do."""
        ...


class Onlooker:
    """A demonstrator who watches.

    He looks at how much nearer the hand and the fingers came in each tick to where he wanted them before it, so that
    it does not matter when his wish leaps, such as when a block is grasped.
    """

    def __init__(
        self, demonstrator: Demonstrator, *, hz: float, patience_s: float, usual_s: float, hand_back_s: float = 0.0
    ) -> None:
        """Lose patience after `patience_s` without progress, and after `usual_s` in all; help for `hand_back_s`.

        With 0 for the last one help goes on to the end.
        """
        self._demonstrator, self._help = demonstrator, round(hand_back_s * hz)
        self._patience, self._usual = max(round(patience_s * hz), 1), round(usual_s * hz)
        self.reset()

    def reset(self) -> None:
        """Begin to watch."""
        self._gains: deque[float] = deque(maxlen=self._patience)
        self._before: tuple[View, Wish] | None = None
        self._num_looks = 0

    def look(self) -> str:
        """Say why the skill needs help, or nothing."""
        view, wish = self._demonstrator.consider()
        if self._before:
            self._gains.append(gain_m(*self._before, view))
        self._before = view, wish
        self._num_looks += 1
        if self._num_looks > self._usual:
            return TOO_LONG
        return NO_PROGRESS if len(self._gains) == self._patience and sum(self._gains) < LEAST_GAIN_M else ""

    def hands_back(self, num_driven: int) -> bool:
        """Whether that was help enough."""
        return 0 < self._help <= num_driven


def gain_m(before: View, wish: Wish, now: View) -> float:
    """Tell how much nearer hand and fingers came to `wish`, which was had `before` [m].

    Who is there already and waits, such as for a block to come to rest, gains enough.
    """
    far, fingers = length(wish.position - before.hand), abs(wish.gripper_rad - before.gripper_rad)
    if far < _THERE_M and fingers < _THERE_RAD:
        return LEAST_GAIN_M
    nearer = far - length(wish.position - now.hand)
    return nearer + _LEVER_M * (fingers - abs(wish.gripper_rad - now.gripper_rad))
