"""What every dataset promises, whatever the files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from etude.core.errors import NotFound, UserError
from etude.core.frame import Frame
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.data.episodes import Episode, Episodes
from etude.data.timing import Timing

if TYPE_CHECKING:
    from etude.data.draft import Draft
    from etude.data.recording import Finished

__all__ = ["Dataset", "DatasetWriter", "Episode", "Episodes", "Problem", "Timing", "episode_of"]


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
    episodes: Episodes
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

    def take(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Give one table column at `rows`, of any shape; a large or remote dataset reads no more than these need."""
        return self.column(key)[rows]

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`, uint8 (row, height, width, 3); `size` is (height, width) wanted."""
        ...

    def decode(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Decode pictures of `key` at `rows`, and give those too that had to be decoded on the way.

        Gives rows, ascending and a superset of `rows`, and their pictures. Who keeps pictures asks this way.
        """
        wanted = np.unique(rows)
        return wanted, self.images(key, wanted, size)

    def fingerprint(self, key: str, number: int) -> str:
        """Identify what is in the pictures of `key` in the episode at position `number`, wherever they are stored."""
        ...

    def file_groups(self) -> np.ndarray:
        """Number the files that each episode lies in, int64 (episodes,): the same number, the same files."""
        return np.arange(len(self.episodes))

    @property
    def notes(self) -> Sequence[str]:
        """What had to be assumed of the files, and what of them is left out, a sentence each."""
        return ()

    @property
    def text_keys(self) -> Sequence[str]:
        """Columns of text: strings, and language columns (lists of messages)."""
        return ()

    def text(self, key: str, rows: np.ndarray) -> list[Any]:
        """Give a text column at `rows`: a string each, or a list of dicts each for a language column."""
        del rows
        raise NotFound("text column", key, self.text_keys)

    def timing(self) -> Mapping[str, np.ndarray]:
        """Give what was noted of each frame's real time, per `Timing` field and row; empty when nothing was."""
        return {}

    def check_files(self) -> Iterator[Problem]:
        """Yield what the files promise one another and do not hold, such as a counter or a video's length."""
        ...


@runtime_checkable
class DatasetWriter(Protocol):
    """Records episodes; each is committed whole by `save_episode`, or not at all."""

    root: Path
    num_episodes: int

    def add_frame(self, frame: Frame, timing: Timing | None = None) -> None:
        """Append one frame to the open episode; raise `SpecMismatch` when it does not fit."""
        ...

    def save_episode(self, task: str) -> None:
        """Commit the open episode."""
        ...

    def save_finished(self, finished: Finished, task: str) -> None:
        """Commit an episode that was recorded beside this dataset, maybe by another process."""
        ...

    def discard_episode(self) -> None:
        """Forget the open episode."""
        ...

    def keep_draft(self, draft: Draft, task: str) -> None:
        """Commit what a recording that broke off left; raise `UserError` when it is of another kind."""
        ...

    def leave_episode(self) -> None:
        """Stop recording the open episode and leave it as a draft, which the user may keep or drop."""
        ...

    def close(self) -> None:
        """Leave the open episode as a draft and release the files."""
        ...


def episode_of(dataset: Dataset, number: int) -> Episode:
    """Give episode `number`, from 0; raise `UserError` when there is none."""
    if not 0 <= number < len(dataset.episodes):
        raise UserError(f"{dataset.root} has episodes 0 to {len(dataset.episodes) - 1}; there is no {number}.")
    return dataset.episodes[number]
