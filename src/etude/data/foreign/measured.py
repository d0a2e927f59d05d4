"""Statistics that are measured when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from etude.core.stats import Stats
from etude.data.dataset import Dataset
from etude.data.image_stats import histogram, image_stats, sampled_frames

_AT_ONCE = 16
"""Pictures held in memory while they are measured."""


class MeasuredStats(Mapping[str, Stats]):
    """The statistics of every key of a dataset whose files hold none; each is measured once, at first use."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._known: dict[str, Stats] = {}

    def __getitem__(self, key: str) -> Stats:
        if key not in self:
            raise KeyError(key)
        if key not in self._known:
            is_image = self._dataset.specs[key].is_image
            self._known[key] = _of_pictures(self._dataset, key) if is_image else Stats.of(self._dataset.column(key))
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        return key in self._dataset.specs and self._dataset.episodes.num_frames > 0

    def __iter__(self) -> Iterator[str]:
        return iter(key for key in self._dataset.specs if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _of_pictures(dataset: Dataset, key: str) -> Stats:
    """Measure as many pictures of each episode as recording would."""
    total, count = np.zeros(0, np.int64), 0
    for episode in dataset.episodes:
        rows = episode.start + sampled_frames(len(episode))
        for first in range(0, len(rows), _AT_ONCE):
            for picture in dataset.images(key, rows[first : first + _AT_ONCE]):
                counted = histogram(picture).astype(np.int64)
                total = total + counted if count else counted
                count += 1
    # All pictures as one: the statistics of the sum of their histograms are those of all their pixels.
    return replace(image_stats(total[None]), count=count)
