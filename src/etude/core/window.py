"""Which frames around one instant make a training sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Window:
    """Frame offsets per key: `{"action": (0, 1, 2)}` is this action and the next two. Other keys: this frame only."""

    offsets: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def rows(self, key: str, index: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the rows (batch, time) to read for `key`, clamped to each episode, and where clamping happened.

        `index` (batch,) are dataset rows; `start` (inclusive) and `stop` (exclusive) bound their episodes.
        """
        wanted = index[:, None] + np.asarray(self.offsets[key])[None, :]
        clamped = np.clip(wanted, start[:, None], stop[:, None] - 1)
        return clamped, clamped != wanted
