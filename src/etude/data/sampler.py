"""Which rows make the next batch: shuffled, epoch after epoch, and the same again after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from etude.core.errors import UserError
from etude.data.dataset import Episode


class EpisodeSampler:
    """Draws the rows of chosen episodes, each once per epoch, in an order that `seed` and the epoch decide.

    Batches run on across epochs, so all have the size asked for.
    """

    def __init__(self, episodes: Sequence[Episode], seed: int = 0) -> None:
        self._rows = np.concatenate([np.arange(0), *(np.arange(each.start, each.stop) for each in episodes)])
        if not len(self._rows):
            raise UserError(f"There is nothing to sample: {len(episodes)} episodes hold no frame. Choose others.")
        self._seed = seed
        self._begin(epoch=0, position=0)

    @classmethod
    def from_state(cls, episodes: Sequence[Episode], seed: int, state: Mapping[str, int]) -> EpisodeSampler:
        """Go on where the sampler that gave this `state` stood."""
        sampler = cls(episodes, seed)
        sampler._begin(state["epoch"], state["position"])
        return sampler

    def __len__(self) -> int:
        """Rows per epoch."""
        return len(self._rows)

    def state(self) -> dict[str, int]:
        """Tell the epoch and the rows drawn in it: all that `from_state` needs."""
        return {"epoch": self._epoch, "position": self._position}

    def draw(self, count: int) -> np.ndarray:
        """Give the next `count` rows."""
        parts = []
        while count:
            part = self._order[self._position : self._position + count]
            self._position += len(part)
            count -= len(part)
            parts.append(part)
            if self._position == len(self._order):
                self._begin(self._epoch + 1, position=0)
        return np.concatenate([self._rows[:0], *parts])

    def _begin(self, epoch: int, position: int) -> None:
        self._epoch, self._position = epoch, position
        self._order = np.random.default_rng([self._seed, epoch]).permutation(self._rows)
