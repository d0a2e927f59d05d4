"""Whoever moves a simulated arm by hand."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Person(Protocol):
    """Somebody with a leader, or a limp follower, in the hand."""

    def begin(self, seed: int) -> None:
        """Get ready for the next episode."""
        ...

    def wish(self, now_s: float, joints: np.ndarray) -> np.ndarray:
        """Give where the joints should be now [rad], seeing that they are at `joints`."""
        ...
