"""The demonstrations of a run: one dataset, or several as one."""

from __future__ import annotations

from pathlib import Path

from etude.data.dataset import Dataset
from etude.data.mix import Mix
from etude.data.mix_parts import Part
from etude.data.opening import open_dataset
from etude.train.config import TrainConfig


def open_datasets(config: TrainConfig) -> Dataset:
    """Open the run's dataset, or several as one whose samples are drawn by `dataset_weights`.

    Only some of several need have the column of `sample_weights`.
    """
    opened = [open_dataset(root) for root in config.datasets]
    if len(opened) == 1:
        return opened[0]
    weights = config.dataset_weights or [float(max(each.episodes.num_frames, 1)) for each in opened]
    pairs = zip(opened, weights, strict=True)
    parts = [Part(dataset=each, episodes=each.episodes, weight=weight) for each, weight in pairs]
    fill = [config.sample_weights] if config.sample_weights else []
    return Mix(Path(" + ".join(map(str, config.datasets))), parts, fill=fill)
