"""The moments that decide: shortly before a hand closes on something, or opens."""

from __future__ import annotations

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
from etude.data.commands import Commands
from etude.data.dataset import Dataset

AFTER_S = 0.25
"""What still counts after the command [s]: fingers take about as long to close."""


def grip_weights(dataset: Dataset, *, grasp: float, release: float, before_s: float) -> np.ndarray:
    """Give each row's weight (row,): `grasp` from `before_s` before a hand closes, `release` before it opens, else 1.

    A hand closes when the command of an action with "gripper" in its name falls below the middle of its range. Raises
    `ConfigError` where no action is called so.
    """
    commands, hands = Commands(dataset), _hands(dataset)
    weights = np.ones(int(dataset.episodes.stop.max(initial=0)))
    before, after = round(before_s * dataset.fps), round(AFTER_S * dataset.fps)
    for episode in dataset.episodes:
        is_open = commands.of(episode)[:, hands] > commands.middle[hands]
        turned = np.diff(is_open.astype(np.int8), axis=0)
        closes, opens = (_is_near((turned == way).any(1), before, after) for way in (-1, 1))
        either = [closes & opens, closes, opens]
        weights[episode.start : episode.stop] = np.select(either, [max(grasp, release), grasp, release], 1.0)
    return weights


def _is_near(happens: np.ndarray, before: int, after: int) -> np.ndarray:
    """Tell which frames lie around an event, which happens between a frame and the next (frame - 1,)."""
    is_near = np.zeros(len(happens) + 1, bool)
    for first in np.flatnonzero(happens) + 1:
        is_near[max(0, first - before) : first + after] = True
    return is_near


def _hands(dataset: Dataset) -> list[int]:
    names = dataset.specs[ACTION].names or ()
    found = [place for place, name in enumerate(names) if "gripper" in name]
    if not found:
        told = ", ".join(names) or "no names"
        raise ConfigError(f"Emphasis looks for 'gripper' in names of actions; those of {dataset.root}: {told}.")
    return found
