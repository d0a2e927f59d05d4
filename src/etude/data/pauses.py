"""Frames in which whoever shows the task hesitates: the command stays as it was."""

from __future__ import annotations

import numpy as np

from etude.core.errors import ConfigError
from etude.core.frame import ACTION
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
    stretches = np.lib.stride_tricks.sliding_window_view(actions, least_ticks + 1, axis=0)  # (stretch, joint, tick)
    is_still = (stretches.max(-1) - stretches.min(-1) <= tolerance).all(1)
    for tick in range(1, least_ticks + 1):
        is_pause[tick : tick + len(is_still)] |= is_still
    return is_pause


def pause_rows(dataset: Dataset) -> np.ndarray:
    """Tell which rows of `dataset` are of pauses (row,): its statistics say what the range of an element is."""
    if ACTION not in dataset.specs:
        raise ConfigError(f"{dataset.root} has no '{ACTION}' to tell pauses by; it has {', '.join(dataset.specs)}.")
    stats = dataset.stats[ACTION]
    tolerance = STILL * (stats.max - stats.min).reshape(-1)
    least_ticks = max(1, round(LEAST_S * dataset.fps))
    is_pause = np.zeros(int(dataset.episodes.stop.max(initial=0)), bool)
    for episode in dataset.episodes:
        rows = np.arange(episode.start, episode.stop)
        actions = np.asarray(dataset.take(ACTION, rows), np.float64).reshape(len(rows), -1)
        is_pause[rows] = pauses(actions, least_ticks=least_ticks, tolerance=tolerance)
    return is_pause
