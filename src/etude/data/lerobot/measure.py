"""Statistics of one episode of an open dataset, measured from its rows and its pictures."""

from __future__ import annotations

from dataclasses import replace

from etude.core.stats import Stats
from etude.data.image_stats import sampled_frames
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.statistics import pictures_stats

_MM_PER_M = 1000


def measured(dataset: LeRobotDataset, key: str, start: int, stop: int) -> Stats:
    """Measure what `key` holds in rows `start` to `stop`; of pictures those frames that LeRobot samples.

    Depth is measured in the unit that the dataset states.
    """
    feature = dataset.header.features[key]
    if key not in dataset.codecs:
        return Stats.of(dataset.column(key)[start:stop].reshape(stop - start, *feature["shape"]))
    stats = pictures_stats(dataset, key, start + sampled_frames(stop - start))
    is_in_metres = dataset.specs[key].is_depth and (feature.get("info") or {}).get("depth_unit") == "m"
    return _in_metres(stats) if is_in_metres else stats


def _in_metres(stats: Stats) -> Stats:
    values = {name: getattr(stats, name) / _MM_PER_M for name in ("mean", "std", "min", "max")}
    quantiles = {name: value / _MM_PER_M for name, value in stats.quantiles.items()}
    return replace(stats, **values, quantiles=quantiles, sketch=None)
