"""Which frames around one instant make a training sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Window:
    """Frame offsets per key: `{"action": (0, 1, 2)}` is this action and the next two."""

    offsets: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    past: tuple[int, ...] = ()
    """Offsets of all other keys, such as (-1, 0); none for this frame alone, without an axis of time."""

    def of(self, key: str) -> tuple[int, ...]:
        """Give the offsets of `key`; none when it is seen at this frame alone."""
        return self.offsets.get(key, self.past)

    def rows(self, key: str, index: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the rows (batch, time) to read for `key`, clamped to each episode, and where clamping happened.

        `index` (batch,) are dataset rows; `start` (inclusive) and `stop` (exclusive) bound their episodes.
        """
        wanted = index[:, None] + np.asarray(self.of(key))[None, :]
        clamped = np.clip(wanted, start[:, None], stop[:, None] - 1)
        return clamped, clamped != wanted
