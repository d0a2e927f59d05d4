"""Frames in which whoever shows the task hesitates: the command stays as it was."""

from __future__ import annotations

import numpy as np

from etude.core.errors import ConfigError
from etude.data.commands import Commands
from etude.data.dataset import Dataset

LEAST_S = 0.1
"""Shortest pause [s]: fingers that change direction stand still for less."""
STILL = 0.001
"""Of an element's range: a command that changes by less stays as it was. An encoder at rest flickers by as much."""


def pauses(actions: np.ndarray, *, least_ticks: int, tolerance: float | np.ndarray = 0.0) -> np.ndarray:
    """Tell which frames of an episode repeat a command: actions (frame, joint) to a mask (frame,).

    These are frames whose command is that of the frame before, at least `least_ticks` of them in a row. Commands that
    stay within `tolerance`, for all joints or (joint,), for so long are taken for one; slow motion is not. The first
    frame of an episode, and that from which the command stays, are never among them.
    """
    if least_ticks < 1:
        raise ConfigError(f"least_ticks should be at least 1, got {least_ticks}.")
    is_pause = np.zeros(len(actions), bool)
    if len(actions) <= least_ticks:
        return is_pause
    num_stretches = len(actions) - least_ticks
    low = high = actions[:num_stretches]
    for tick in range(1, least_ticks + 1):
        later = actions[tick : tick + num_stretches]
        low, high = np.minimum(low, later), np.maximum(high, later)
    is_still = (high - low <= tolerance).all(1)
    for tick in range(1, least_ticks + 1):
        is_pause[tick : tick + num_stretches] |= is_still
    return is_pause


def pauses_among(commands: np.ndarray, fps: int) -> np.ndarray:
    """Tell which frames of an episode are of pauses (frame,), by commands (frame, joint) in shares of their range."""
    return pauses(commands, least_ticks=max(1, round(LEAST_S * fps)), tolerance=STILL)


def pause_rows(dataset: Dataset) -> np.ndarray:
    """Tell which rows of `dataset` are of pauses (row,); raise `ConfigError` where it has no actions to tell by."""
    commands = Commands(dataset)
    is_pause = np.zeros(int(dataset.episodes.stop.max(initial=0)), bool)
    for episode in dataset.episodes:
        is_pause[episode.start : episode.stop] = pauses_among(commands.of(episode), dataset.fps)
    return is_pause
