"""The episodes of a dataset: a hundred thousand of them cost a few arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Episode:
    """The frames from one reset to one end: rows `start` (inclusive) to `stop` (exclusive) of the dataset."""

    index: int
    start: int
    stop: int
    tasks: tuple[str, ...]

    def __len__(self) -> int:
        return self.stop - self.start


class Episodes(Sequence[Episode]):
    """All episodes in order of their rows; each `Episode` is made when it is looked at."""

    def __init__(self, index: np.ndarray, start: np.ndarray, length: np.ndarray, tasks: TasksOf) -> None:
        """Take the episodes' own numbers, first rows and lengths, int64 (episodes,), and what tells their tasks."""
        self.tasks = tasks
        self.indices = np.asarray(index, np.int64)
        self.start = np.asarray(start, np.int64)
        self.stop = self.start + np.asarray(length, np.int64)

    @classmethod
    def in_a_row(cls, lengths: Iterable[int], tasks: TasksOf) -> Episodes:
        """Number episodes of these lengths from 0 on, each starting where the last one ends."""
        length = np.array(list(lengths), np.int64)
        stop = np.cumsum(length)
        return cls(np.arange(len(length)), stop - length, length, tasks)

    def chosen(self, numbers: Sequence[int] | np.ndarray) -> Episodes:
        """Give the episodes at these positions, in order; their rows are still those of the whole dataset."""
        positions = np.unique(np.asarray(numbers, np.int64))
        unknown = positions[(positions < 0) | (positions >= len(self))]
        if len(unknown):
            raise UserError(f"There is no episode {unknown[0]}; there are {len(self)}, counted from 0.")
        return Episodes(
            self.indices[positions],
            self.start[positions],
            self.length[positions],
            lambda number: self.tasks(int(positions[number])),
        )

    @property
    def length(self) -> np.ndarray:
        """Frames per episode, int64 (episodes,)."""
        return self.stop - self.start

    @property
    def num_frames(self) -> int:
        """Frames of all episodes."""
        return int(self.length.sum())

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Give the position of the episode that each of `rows` lies in."""
        return np.searchsorted(self.start, rows, "right") - 1

    def __len__(self) -> int:
        return len(self.start)

    @overload
    def __getitem__(self, number: int) -> Episode: ...
    @overload
    def __getitem__(self, number: slice) -> list[Episode]: ...
    def __getitem__(self, number: int | slice) -> Episode | list[Episode]:
        if isinstance(number, slice):
            return [self._made(each) for each in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        return self._made(number % len(self))

    def __iter__(self) -> Iterator[Episode]:
        return map(self._made, range(len(self)))

    def _made(self, number: int) -> Episode:
        start, stop = int(self.start[number]), int(self.stop[number])
        return Episode(index=int(self.indices[number]), start=start, stop=stop, tasks=tuple(self.tasks(number)))


class Rows:
    """The rows of some episodes, numbered through."""

    def __init__(self, start: np.ndarray, length: np.ndarray) -> None:
        self._stops = np.cumsum(length)
        self._offset = start - (self._stops - length)

    def __len__(self) -> int:
        return int(self._stops[-1]) if len(self._stops) else 0

    def at(self, places: np.ndarray) -> np.ndarray:
        """Give the rows with these numbers."""
        return places + self._offset[np.searchsorted(self._stops, places, "right")]


def bounds(episodes: Sequence[Episode]) -> tuple[np.ndarray, np.ndarray]:
    """Give the first row and the length of each of `episodes`, int64."""
    if isinstance(episodes, Episodes):
        return episodes.start, episodes.length
    start = np.fromiter((each.start for each in episodes), np.int64, len(episodes))
    return start, np.fromiter((each.stop for each in episodes), np.int64, len(episodes)) - start


TasksOf = Callable[[int], Iterable[str]]
"""Tells the task texts of the episode at a position."""
