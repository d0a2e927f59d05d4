"""Two teleoperators as one: left first, names told apart by `left_` and `right_`."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np

from etude.hardware import teleoperators
from etude.hardware.device import Teleoperator
from etude.hardware.sides import SIDES, side_by_side
from etude.hardware.teleoperators.bimanual.config import Config


def build(config: Config) -> Bimanual:
    """Make the teleoperator; it is not connected yet."""
    left, right = (teleoperators.build(side) for side in config.sides())
    return Bimanual(left, right)


class Bimanual:
    """A left and a right teleoperator that are read together."""

    def __init__(self, left: Teleoperator, right: Teleoperator) -> None:
        self.left, self.right = left, right
        self.action = side_by_side(left.action, right.action)
        self.scene = getattr(left, "scene", None) or getattr(right, "scene", None)
        units = {getattr(side, "uses_degrees", None) for side in (left, right)}
        self.uses_degrees = units.pop() if len(units) == 1 else None
        self.events: tuple[str, ...] = ()
        self._open = ExitStack()

    def connect(self) -> None:
        """Connect both, or neither."""
        with ExitStack() as opened:
            for side in (self.right, self.left):
                opened.callback(side.disconnect)
                side.connect()
            self._open = opened.pop_all()

    def disconnect(self) -> None:
        """Disconnect both; harmless when they are not connected."""
        opened, self._open = self._open, ExitStack()
        opened.close()

    def reset(self, seed: int) -> None:
        """Get both ready for the next episode."""
        for side in (self.left, self.right):
            side.reset(seed)

    def read(self) -> np.ndarray | None:
        """Give both actions in one array, or none as soon as one of them is over."""
        left, right = self.left.read(), self.right.read()
        sides = zip(SIDES, (self.left, self.right), strict=True)
        self.events = tuple(f"{side}: {said}" for side, one in sides for said in getattr(one, "events", ()))
        return None if left is None or right is None else np.concatenate([left, right])
