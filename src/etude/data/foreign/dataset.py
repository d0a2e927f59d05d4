"""A dataset put together from what a foreign format finds in its files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from etude.core.errors import NotFound
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.data.dataset import Dataset, Problem
from etude.data.episodes import Episodes
from etude.data.foreign.naming import Selection
from etude.data.statistics import CompleteStats
from etude.data.video import resize

_SAMPLES = 16
"""Pictures of an episode that identify it, beside its files."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What a dataset holds, without what its frames hold."""

    fps: int
    robot_type: str | None = None
    lengths: Sequence[int]
    """Frames per episode."""
    texts: Sequence[str]
    """The task of each episode."""
    selection: Selection
    notes: tuple[str, ...] = ()
    """Sentences about what had to be assumed."""


class Source(Protocol):
    """The files of a foreign dataset, open to be read."""

    def column(self, key: str) -> np.ndarray:
        """Read one key that is no picture, over all frames, as its spec says."""
        ...

    def pictures(self, key: str, episode: int, ticks: np.ndarray) -> Iterator[np.ndarray]:
        """Read pictures of the episode at a position, at these ascending ticks: uint8 (height, width, 3)."""
        ...

    def identity(self, episode: int) -> str:
        """Tell the files of an episode from changed ones, cheaply."""
        ...

    def check(self) -> Iterator[Problem]:
        """Yield what the files promise and do not hold."""
        ...


class ForeignDataset(Dataset):
    """Episodes in files of another project; columns are read whole at first use, pictures when asked for."""

    def __init__(self, root: Path, kind: str, outline: Outline, source: Source) -> None:
        self.root, self.format = root, kind
        self.fps, self.robot_type = outline.fps, outline.robot_type
        self.specs: Specs = outline.selection.specs
        self.tasks = list(dict.fromkeys(outline.texts))
        self.episodes = Episodes.in_a_row(outline.lengths, lambda number: (outline.texts[number],))
        self.stats: Mapping[str, Stats] = CompleteStats(self, dict)
        self._outline, self._source, self._texts = outline, source, outline.texts
        self._columns: dict[str, np.ndarray] = {}

    @property
    def codecs(self) -> Mapping[str, str]:
        """How each camera's pictures are compressed, such as `jpeg`."""
        return self._outline.selection.codecs

    @property
    def notes(self) -> Sequence[str]:
        """What had to be assumed of the files, and what of them is left out, a sentence each."""
        return (*self._outline.notes, *self._outline.selection.notes)

    def column(self, key: str) -> np.ndarray:
        """Give one table column over all frames, read-only: (frames, n), or (frames,) for the numbers of the frames."""
        if key in self._numbers:
            return self._numbers[key]
        if key not in self.specs or key in self.codecs:
            raise NotFound("table column", key, [*self._numbers, *(self.specs.keys() - self.codecs.keys())])
        if key not in self._columns:
            self._columns[key] = self._source.column(key)
        return self._columns[key]

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`, uint8 (row, height, width, 3); `size` is (height, width) wanted."""
        if key not in self.codecs:
            raise NotFound("camera", key, self.codecs)
        wanted, back = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        height, width = size or self.specs[key].shape[:2]
        pictures = np.empty((len(wanted), height, width, 3), np.uint8)
        episode = self.episodes.of(wanted)
        for number in np.unique(episode).tolist():
            slots = np.flatnonzero(episode == number)
            found = self._source.pictures(key, number, wanted[slots] - self.episodes.start[number])
            for slot, picture in zip(slots, found, strict=True):
                pictures[slot] = resize(picture[None], height, width)[0]
        return pictures if np.array_equal(back, np.arange(len(pictures))) else pictures[back]

    def fingerprint(self, key: str, number: int) -> str:
        """Identify the pictures of `key` in the episode at position `number` by some of them, and by the files."""
        episode = self.episodes[number]
        ticks = np.unique(np.linspace(0, len(episode) - 1, _SAMPLES).astype(np.int64))
        digest = hashlib.blake2b(f"{self._source.identity(number)} {len(episode)}".encode(), digest_size=16)
        for picture in self._source.pictures(key, number, ticks):
            digest.update(picture.tobytes())
        return digest.hexdigest()

    def check_files(self) -> Iterator[Problem]:
        """Read what can be checked without knowing more than the format does."""
        return self._source.check()

    @cached_property
    def _numbers(self) -> dict[str, np.ndarray]:
        """The columns that follow from the episodes' lengths."""
        length, start = self.episodes.length, self.episodes.start
        index = np.arange(self.episodes.num_frames)
        tick = index - np.repeat(start, length)
        task = np.array([self.tasks.index(text) for text in self._texts], np.int64)
        columns = {
            "timestamp": (tick / self.fps).astype(np.float32),
            "frame_index": tick,
            "episode_index": np.repeat(self.episodes.indices, length),
            "index": index,
            "task_index": np.repeat(task, length),
        }
        for column in columns.values():
            column.flags.writeable = False
        return columns


def by_episode(read: Callable[[int], Sequence[np.ndarray]], num_episodes: int) -> list[np.ndarray]:
    """Join what `read` gives for each episode, array by array."""
    parts = [read(number) for number in range(num_episodes)]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]
