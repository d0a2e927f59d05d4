"""The moments that decide: shortly before a hand closes on something, or opens."""

from __future__ import annotations

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.data.dataset import Dataset

AFTER_S = 0.25
"""What still counts after the command [s]: fingers take about as long to close."""


def grip_weights(dataset: Dataset, *, grasp: float, release: float, before_s: float) -> np.ndarray:
    """Give each row's weight (row,): `grasp` from `before_s` before a hand closes, `release` before it opens, else 1.

    A hand closes when the command of an action with "gripper" in its name falls below the middle of its range. Raises
    `ConfigError` where no action is called so.
    """
    hands = _hands(dataset)
    stats = dataset.stats[ACTION]
    middle = ((stats.min + stats.max) / 2).reshape(-1)[hands]
    weights = np.ones(int(dataset.episodes.stop.max(initial=0)))
    before, after = round(before_s * dataset.fps), round(AFTER_S * dataset.fps)
    for episode in dataset.episodes:
        rows = np.arange(episode.start, episode.stop)
        is_open = dataset.take(ACTION, rows).reshape(len(rows), -1)[:, hands] > middle
        turned = np.diff(is_open.astype(np.int8), axis=0)
        own = weights[episode.start : episode.stop]
        for value, way in ((grasp, -1), (release, 1)):
            is_near = _is_near((turned == way).any(1), before, after)
            own[is_near] = np.where(own[is_near] == 1, value, np.maximum(own[is_near], value))
    return weights


def _is_near(happens: np.ndarray, before: int, after: int) -> np.ndarray:
    """Tell which frames lie around an event, which happens between a frame and the next (frame - 1,)."""
    is_near = np.zeros(len(happens) + 1, bool)
    for first in np.flatnonzero(happens) + 1:
        is_near[max(0, first - before) : first + after] = True
    return is_near


def _hands(dataset: Dataset) -> list[int]:
    names = dataset.specs[ACTION].names or () if ACTION in dataset.specs else ()
    found = [place for place, name in enumerate(names) if "gripper" in name]
    if not found:
        told = ", ".join(names) or "no names"
        raise ConfigError(f"Emphasis looks for 'gripper' in names of actions; those of {dataset.root}: {told}.")
    return found
