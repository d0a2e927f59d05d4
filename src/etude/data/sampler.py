"""Which rows make the next batch: shuffled, epoch after epoch, and the same again after a restart.

No sampler lists rows: a shuffled position is computed when it is drawn, so thirty million cost what thirty cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from etude.core.errors import UserError
from etude.data.episodes import Episode, Rows, bounds
from etude.data.permutation import Permutation

_AHEAD = 1024
"""Rows that are computed together: numpy is slow at few."""
_BLOCK = 4096
"""Draws in which every source gets its exact share; a share is a multiple of 1 / _BLOCK."""


class Sampler(Protocol):
    """Draws rows forever; each epoch is one pass."""

    def __len__(self) -> int:
        """Rows per epoch."""
        ...

    def draw(self, count: int) -> np.ndarray:
        """Give the next `count` rows."""
        ...

    def state(self) -> dict[str, int]:
        """Tell the epoch and the rows drawn in it: all that resuming needs."""
        ...

    def seek(self, drawn: int) -> None:
        """Go where a new sampler is after drawing so many rows."""
        ...


class EpisodeSampler(Sampler):
    """Draws the rows of chosen episodes, each once per epoch, in an order that `seed` and the epoch decide.

    Batches run on across epochs, so all have the size asked for.
    """

    def __init__(self, episodes: Sequence[Episode], seed: int = 0) -> None:
        self._chosen = Rows(*bounds(episodes))
        if not len(self._chosen):
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
        return len(self._chosen)

    def state(self) -> dict[str, int]:
        """Tell the epoch and the rows drawn in it: all that `from_state` needs."""
        return {"epoch": self._epoch, "position": self._position}

    def seek(self, drawn: int) -> None:
        """Go where a new sampler is after drawing so many rows."""
        self._begin(*divmod(drawn, len(self)))

    def draw(self, count: int) -> np.ndarray:
        """Give the next `count` rows."""
        parts = [np.empty(0, np.int64)]
        while count:
            part, self._ahead = self._ahead[:count], self._ahead[count:]
            self._position += len(part)
            count -= len(part)
            parts.append(part)
            if self._position == len(self):
                self._begin(self._epoch + 1, position=0)
            elif count:
                stop = min(self._position + max(count, _AHEAD), len(self))
                self._ahead = self._at(np.arange(self._position, stop))
        return np.concatenate(parts)

    def _begin(self, epoch: int, position: int) -> None:
        self._epoch, self._position = epoch, position
        self._ahead = np.empty(0, np.int64)
        self._shuffle()

    def _shuffle(self) -> None:
        self._order = Permutation(len(self), [self._seed, self._epoch])

    def _at(self, positions: np.ndarray) -> np.ndarray:
        """Give the rows at ascending positions of the epoch."""
        return self._chosen.at(self._order[positions])


class StreamSampler(EpisodeSampler):
    """Draws the rows of a few files at a time, shuffled, then those of the next few: for files that are fetched.

    `group` (episodes,) tells which of `episodes` lie in the same files, and `at_once` how many groups are mixed. The
    order of the groups is another in every epoch.
    """

    def __init__(self, episodes: Sequence[Episode], group: np.ndarray, seed: int = 0, *, at_once: int = 8) -> None:
        if at_once < 1 or len(group) != len(episodes):
            raise UserError(f"{at_once} groups of {len(group)} episodes cannot be drawn from {len(episodes)} episodes.")
        self._start, self._length = bounds(episodes)
        self._group, self._at_once = np.unique(group, return_inverse=True)[1], at_once
        super().__init__(episodes, seed)

    def _shuffle(self) -> None:
        """Deal the groups into windows: which episodes each has, and where in the epoch it ends."""
        num_groups = int(self._group.max()) + 1
        place = np.empty(num_groups, np.int64)
        place[Permutation(num_groups, [self._seed, self._epoch])[np.arange(num_groups)]] = np.arange(num_groups)
        window = (place // self._at_once)[self._group]
        self._by_window = np.argsort(window, kind="stable")
        self._stops = np.cumsum(np.bincount(window, self._length).astype(np.int64))
        self._episode_stops = np.cumsum(np.bincount(window))

    def _at(self, positions: np.ndarray) -> np.ndarray:
        window = np.searchsorted(self._stops, positions, "right")
        edges = np.flatnonzero(np.diff(window)) + 1
        return np.concatenate([self._in_window(part) for part in np.split(positions, edges)])

    def _in_window(self, positions: np.ndarray) -> np.ndarray:
        window = int(np.searchsorted(self._stops, positions[0], "right"))
        begin, first = (int(stops[window - 1]) if window else 0 for stops in (self._stops, self._episode_stops))
        episodes = self._by_window[first : self._episode_stops[window]]
        rows = Rows(self._start[episodes], self._length[episodes])
        return rows.at(Permutation(len(rows), [self._seed, self._epoch, window])[positions - begin])


class FrameWeightedSampler(EpisodeSampler):
    """Draws each row of chosen episodes in proportion to its weight.

    An epoch has as many draws as there are rows. They are spread evenly over the sum of the weights, so a row comes
    up as often as its weight says, rounded up or down, and is drawn at another place in every epoch.
    """

    def __init__(self, episodes: Sequence[Episode], weights: np.ndarray, seed: int = 0) -> None:
        """Take the weight of each row, in order; raise `UserError` for one that is no weight."""
        wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
        if len(wrong):
            row = Rows(*bounds(episodes)).at(wrong[:1])[0]
            raise UserError(f"Row {row} has a weight of {weights[wrong[0]]:g}; weights should be numbers, 0 or more.")
        self._upto = np.cumsum(weights)
        if not len(weights) or self._upto[-1] <= 0:
            raise UserError("There is nothing to sample: every frame has a weight of 0.")
        super().__init__(episodes, seed)

    def _shuffle(self) -> None:
        super()._shuffle()
        self._shift = np.random.default_rng([self._seed, self._epoch]).random()

    def _at(self, positions: np.ndarray) -> np.ndarray:
        total = self._upto[-1]
        places = (self._order[positions] + self._shift) / len(self) * total
        # Rounding must not lead past the last row that has a weight.
        return self._chosen.at(np.searchsorted(self._upto, np.minimum(places, np.nextafter(total, 0)), "right"))


class WeightedSampler(Sampler):
    """Draws from several samplers at once, from each the share that its weight is of all weights.

    In every 4096 draws each source has the same number of them, at shuffled places, so shares are exact to 1/4096 and
    where every source stands after any number of draws is known without making them. An epoch is as many draws as the
    sources have rows; a source with a large weight is seen more than once in it.
    """

    def __init__(self, samplers: Sequence[Sampler], weights: Sequence[float], seed: int = 0) -> None:
        if len(weights) != len(samplers) or not samplers or min(weights) <= 0 or len(samplers) > _BLOCK:
            raise UserError(f"Each of {len(samplers)} sources needs a weight above 0, got {list(weights)}.")
        self._samplers, self._seed = samplers, seed
        self._quota = _apportioned(np.asarray(weights, np.float64), _BLOCK)
        self._drawn = 0

    def __len__(self) -> int:
        return sum(map(len, self._samplers))

    def state(self) -> dict[str, int]:
        """Tell the epoch and the rows drawn in it."""
        epoch, position = divmod(self._drawn, len(self))
        return {"epoch": epoch, "position": position}

    def seek(self, drawn: int) -> None:
        """Go where a new sampler is after drawing so many rows."""
        blocks, rest = divmod(drawn, _BLOCK)
        begun = np.bincount(self._sources(blocks * _BLOCK, rest), minlength=len(self._samplers))
        for sampler, count in zip(self._samplers, (blocks * self._quota + begun).tolist(), strict=True):
            sampler.seek(count)
        self._drawn = drawn

    def draw(self, count: int) -> np.ndarray:
        """Give the next `count` rows."""
        source = self._sources(self._drawn, count)
        rows = np.empty(count, np.int64)
        for number in np.unique(source).tolist():
            here = source == number
            rows[here] = self._samplers[number].draw(int(here.sum()))
        self._drawn += count
        return rows

    def _sources(self, first: int, count: int) -> np.ndarray:
        """Tell which source each draw comes from."""
        stops, parts = np.cumsum(self._quota), [np.empty(0, np.int64)]
        while count:
            block, slot = divmod(first, _BLOCK)
            slots = np.arange(slot, min(slot + count, _BLOCK))
            parts.append(np.searchsorted(stops, Permutation(_BLOCK, [self._seed, block])[slots], "right"))
            first, count = first + len(slots), count - len(slots)
        return np.concatenate(parts)


def _apportioned(weights: np.ndarray, seats: int) -> np.ndarray:
    """Divide `seats` in proportion to `weights`: one each, the rest by largest remainder."""
    wanted = weights / weights.sum() * seats
    counts = np.maximum(np.floor(wanted).astype(np.int64), 1)
    while counts.sum() > seats:
        counts[np.argmax(np.where(counts > 1, counts - wanted, -np.inf))] -= 1
    spare = seats - int(counts.sum())
    counts[np.argsort(-(wanted - counts), kind="stable")[:spare]] += 1
    return counts
