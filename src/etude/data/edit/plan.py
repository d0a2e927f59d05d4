"""What an edit keeps: the whole of it, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from etude.data.edit.source import Source
from etude.data.video.recode import Encoding

Tell = Callable[[int, int], None]
"""Is told how much of how much is done."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Frames `start` to `stop` of one episode, which become an episode of the new version."""

    source: int
    """Position in the plan's sources."""
    episode: int
    start: int
    stop: int
    tasks: Mapping[str, str] = field(default_factory=dict[str, str])
    """Task texts that become others."""

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a new version of a dataset, or a new dataset, is made of."""

    sources: tuple[Source, ...]
    kept: tuple[Kept, ...]
    """The episodes, in their new order."""
    keys: Mapping[str, str]
    """Features that are kept, by their old names in their order, and their new names."""
    features: Mapping[str, Mapping[str, object]] | None = None
    """How the kept features are described, by their old names, where not as in the first source."""
    encoding: Encoding | None = None
    """How all videos are encoded again."""
    is_compact: bool = False
    """Whether small files are brought together."""
    continues: bool = False
    """Whether this is a new version of its source: files keep their numbers, and no number is used for other data."""

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each new episode, and after them the number of all rows."""
        return np.concatenate([[0], np.cumsum([len(each) for each in self.kept], dtype=np.int64)])

    @property
    def renames(self) -> dict[str, str]:
        """Keys that change."""
        return {old: new for old, new in self.keys.items() if old != new}

    @cached_property
    def keeps_all_rows(self) -> bool:
        """Whether the new version has exactly the rows of its one source."""
        whole = [(0, number, 0, int(length)) for number, length in enumerate(self.sources[0].length)]
        kept = [(each.source, each.episode, each.start, each.stop) for each in self.kept]
        return len(self.sources) == 1 and kept == whole

    def is_whole(self, kept: Kept) -> bool:
        """Whether all frames of the episode are kept."""
        return kept.start == 0 and kept.stop == self.sources[kept.source].length[kept.episode]


def whole(source: Source, number: int = 0) -> list[Kept]:
    """Keep all episodes of a source whole; `number` is its position in the plan."""
    return [Kept(number, episode, 0, int(length)) for episode, length in enumerate(source.length)]


def same_keys(source: Source) -> dict[str, str]:
    """Keep all keys as they are."""
    return {key: key for key in source.features}
