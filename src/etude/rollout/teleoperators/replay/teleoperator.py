"""A recorded episode in the place of a person: `etude replay` for whoever wants it recorded, or on another robot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from etude.core.errors import DeviceError, UserError
from etude.core.frame import ACTION
from etude.data import open_dataset
from etude.data.dataset import Dataset, episode_of
from etude.hardware.device import Teleoperator
from etude.rollout.teleoperators.replay.config import Config


def build(config: Config, opened: Callable[[Path], Dataset] = open_dataset) -> Teleoperator:
    """Open the dataset with `opened`; raise `UserError` when there is no such episode."""
    return RecordedEpisode(config, opened(config.root))


class RecordedEpisode:
    """Gives the actions that were recorded, and none after the last."""

    def __init__(self, config: Config, dataset: Dataset) -> None:
        if ACTION not in dataset.specs:
            raise UserError(f"{config.root} has no '{ACTION}' to replay; there is {', '.join(dataset.specs)}.")
        self.action = dataset.specs[ACTION]
        self._dataset, self._episode = dataset, episode_of(dataset, config.episode)
        self._actions: np.ndarray | None = None
        self._tick = 0

    def connect(self) -> None:
        """Read the actions."""
        if self._actions is None:
            self._actions = self._dataset.column(ACTION)[self._episode.start : self._episode.stop]

    def disconnect(self) -> None:
        """Forget them."""
        self._actions = None

    def reset(self, seed: int) -> None:
        """Begin again with the first; it is the same for every seed."""
        del seed
        self._tick = 0

    def read(self) -> np.ndarray | None:
        """Give the next action, or none after the last."""
        if self._actions is None:
            raise DeviceError("The recorded episode is not connected. Call connect() first.")
        if self._tick == len(self._actions):
            return None
        self._tick += 1
        return self._actions[self._tick - 1].astype(self.action.dtype)
