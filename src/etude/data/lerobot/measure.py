"""Statistics of one episode of an open dataset, measured from its rows and its pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from etude.core.sketch import Histogram
from etude.core.stats import Stats
from etude.data.depth import count_depths, depth_stats
from etude.data.image_stats import histogram, sampled_frames, stats_of, thinned
from etude.data.lerobot.dataset import LeRobotDataset

_AT_ONCE = 16
"""Pictures in memory at a time."""
_MM_PER_M = 1000


def measured(dataset: LeRobotDataset, key: str, start: int, stop: int) -> Stats:
    """Measure what `key` holds in rows `start` to `stop`; of pictures those frames that LeRobot samples."""
    spec = dataset.specs.get(key)
    if spec is None or not (spec.is_image or spec.is_depth):
        return Stats.of(dataset.column(key)[start:stop].reshape(stop - start, *dataset.header.features[key]["shape"]))
    rows = start + sampled_frames(stop - start)
    if spec.is_depth:
        depths = sum(count_depths(thinned(each)) for each in _pictures(dataset, key, rows))
        stats = depth_stats(np.asarray(depths), len(rows))
        info = dataset.header.features[key].get("info") or {}
        return _in_metres(stats) if info.get("depth_unit") == "m" else stats
    counts = sum(histogram(each).astype(np.int64) for each in _pictures(dataset, key, rows))
    return stats_of(Histogram(np.asarray(counts), len(rows)))


def _pictures(dataset: LeRobotDataset, key: str, rows: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), _AT_ONCE):
        yield from dataset.images(key, rows[at : at + _AT_ONCE])


def _in_metres(stats: Stats) -> Stats:
    values = {name: getattr(stats, name) / _MM_PER_M for name in ("mean", "std", "min", "max")}
    quantiles = {name: value / _MM_PER_M for name, value in stats.quantiles.items()}
    return replace(stats, **values, quantiles=quantiles, sketch=None)
