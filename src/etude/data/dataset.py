"""What every dataset promises, whatever the files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from etude.core.frame import Frame
from etude.core.spec import Specs
from etude.core.stats import Stats


@dataclass(frozen=True, kw_only=True)
class Episode:
    """The frames from one reset to one end: rows `start` (inclusive) to `stop` (exclusive) of the dataset."""

    index: int
    start: int
    stop: int
    tasks: tuple[str, ...]

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that a dataset promises and does not hold."""

    what: str
    where: str
    """A file, or the episode concerned."""
    remedy: str
    """What to do."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}"


@runtime_checkable
class Dataset(Protocol):
    """Episodes that share specs. Table columns and pictures are read in batches, by row number."""

    root: Path
    format: str
    """Such as `lerobot_v3`."""
    fps: int
    robot_type: str | None
    specs: Specs
    """Observation and action keys, pictures as uint8 (height, width, channels)."""
    episodes: Sequence[Episode]
    tasks: Sequence[str]
    """Task texts by `task_index`."""
    stats: Mapping[str, Stats]
    """Pictures: of values in 0..1, shaped (channels, 1, 1)."""

    @property
    def codecs(self) -> Mapping[str, str]:
        """How each camera's pictures are compressed, such as `av1`."""
        ...

    def column(self, key: str) -> np.ndarray:
        """Give one table column over all frames: shaped as its spec, (frames,) for those without one, as `index`."""
        ...

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`, uint8 (row, height, width, 3); `size` is (height, width) wanted."""
        ...

    def check_files(self) -> Iterator[Problem]:
        """Yield what the files promise one another and do not hold, such as a counter or a video's length."""
        ...


@runtime_checkable
class DatasetWriter(Protocol):
    """Records episodes; each is committed whole by `save_episode`, or not at all."""

    root: Path
    num_episodes: int

    def add_frame(self, frame: Frame) -> None:
        """Append one frame to the open episode; raise `SpecMismatch` when it does not fit."""
        ...

    def save_episode(self, task: str) -> None:
        """Commit the open episode."""
        ...

    def discard_episode(self) -> None:
        """Forget the open episode."""
        ...

    def close(self) -> None:
        """Release the files; the open episode is discarded."""
        ...
