"""What was commanded in each episode, in shares of what each joint moves at all."""

from __future__ import annotations

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.data.dataset import Dataset, Episode


class Commands:
    """Actions of a dataset's episodes, divided by the range that its statistics tell of each joint."""

    def __init__(self, dataset: Dataset) -> None:
        """Raise `ConfigError` for a dataset without actions."""
        if ACTION not in dataset.specs:
            raise ConfigError(f"{dataset.root} has no '{ACTION}'; it has {', '.join(dataset.specs)}.")
        self._dataset = dataset
        stats = dataset.stats[ACTION]
        extent = np.asarray(stats.max - stats.min, np.float64).reshape(-1)
        self._extent = np.where(extent > 0, extent, 1.0)
        self.middle = np.asarray(stats.max + stats.min, np.float64).reshape(-1) / 2 / self._extent
        """Of what each joint moves (joint,), as `of` counts."""

    def of(self, episode: Episode) -> np.ndarray:
        """Give the commands of an episode, float64 (frame, joint)."""
        values = self._dataset.take(ACTION, np.arange(episode.start, episode.stop))
        return np.asarray(values, np.float64).reshape(len(episode), -1) / self._extent
