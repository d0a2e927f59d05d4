"""Which files of a LeRobot dataset hold what: what a format finds out, and reading needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np

from etude.core.stats import Stats
from etude.data.episodes import Episodes


class Files(Sequence[Path]):
    """Files by number. A path is made, and its file fetched where a dataset is remote, when it is looked at."""

    def __init__(self, count: int, path_of: Callable[[int], Path]) -> None:
        self._count, self._path_of = count, path_of

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> Path: ...
    @overload
    def __getitem__(self, number: slice) -> list[Path]: ...
    def __getitem__(self, number: int | slice) -> Path | list[Path]:
        if isinstance(number, slice):
            return [self._path_of(each) for each in range(*number.indices(self._count))]
        if not -self._count <= number < self._count:
            raise IndexError(number)
        return self._path_of(int(number) % self._count)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Where one episode's pictures of one camera are: `length` frames of a file, from number `start` on."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Clips:
    """One camera's clips, one per episode, in arrays."""

    paths: Sequence[Path]
    """The video files."""
    file: np.ndarray
    """Per episode, the position of its file in `paths`."""
    start: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.file)

    def __getitem__(self, number: int) -> Clip:
        path = self.paths[self.file[number]]
        return Clip(path=path, start=int(self.start[number]), length=int(self.length[number]))

    def __iter__(self) -> Iterator[Clip]:
        return map(self.__getitem__, range(len(self)))


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The episodes, and where their rows and pictures are."""

    episodes: Episodes
    tables: Sequence[Path]
    """The frame tables, in the order of their rows."""
    table: np.ndarray
    """Per episode, the position of its table in `tables`; ascending."""
    clips: Mapping[str, Clips]
    """Per video camera."""
    read_tasks: Callable[[], Sequence[str]]
    read_stats: Callable[[], Mapping[str, Stats]]
    identity: str = ""
    """Tells these tables from all others; without it, what is in them does."""

    @cached_property
    def tasks(self) -> Sequence[str]:
        """The task texts by number."""
        return self.read_tasks()

    @cached_property
    def stats(self) -> Mapping[str, Stats]:
        """The statistics of the whole dataset."""
        return self.read_stats()

    @cached_property
    def table_starts(self) -> np.ndarray:
        """The first row of each table, and after them the number of all rows."""
        rows = np.zeros(len(self.tables), np.int64)
        np.add.at(rows, self.table, self.episodes.length)
        return np.concatenate([[0], np.cumsum(rows)])
