"""Which files of a LeRobot dataset hold what: what a format finds out, and reading needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etude.core.stats import Stats
from etude.data.episodes import Episodes


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
    tasks: Sequence[str]
    stats: Mapping[str, Stats]
    tables: Sequence[Path]
    """The frame tables, in the order of their rows."""
    clips: Mapping[str, Clips]
    """Per video camera."""
