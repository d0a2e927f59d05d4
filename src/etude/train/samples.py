"""Training samples: which rows, in what order, and how they become a batch on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from etude.core.errors import ConfigError
from etude.core.spec import Specs
from etude.core.stats import Stats
from etude.data.dataset import Dataset, Episode, Episodes
from etude.data.episodes import Rows, bounds
from etude.data.windows import Windows
from etude.nn.augment import Jitter, random_shift
from etude.train.config import Augment
from etude.transforms.pipeline import Pipeline

MOST_MEASURED = 20_000
"""Samples that statistics of rewritten actions are measured on."""


def split(dataset: Dataset, holdout_episodes: int) -> tuple[Episodes, Episodes]:
    """Divide episodes into those to learn from and the last ones, for validation."""
    episodes = dataset.episodes
    if holdout_episodes >= len(episodes):
        raise ConfigError(
            f"holdout_episodes = {holdout_episodes} leaves nothing to learn from; {dataset.root} has "
            f"{len(episodes)} episodes."
        )
    numbers, kept = np.arange(len(episodes)), len(episodes) - holdout_episodes
    return episodes.chosen(numbers[:kept]), episodes.chosen(numbers[kept:])


def rows_of(episodes: Sequence[Episode], most: int | None = None) -> np.ndarray:
    """List the dataset's rows that lie in `episodes`, or `most` of them at even distances."""
    rows = Rows(*bounds(episodes))
    return rows.at(np.arange(0, len(rows), max(1, -(-len(rows) // most)) if most else 1))


def measured_stats(dataset: Dataset, windows: Windows, rows: np.ndarray, reframe: Pipeline) -> dict[str, Stats]:
    """Give the dataset's statistics, but measure those of entries that `reframe` rewrites on training samples.

    A relative action is distributed quite unlike the absolute one that the dataset's statistics tell of.
    """
    batch = windows.batch(rows[:: -(-len(rows) // MOST_MEASURED)])
    rewritten = reframe.encode(batch)
    changed = {key: value for key, value in rewritten.items() if value is not batch.get(key)}
    own = {
        key: Stats.of(value[~batch[f"{key}_is_pad"]] if f"{key}_is_pad" in batch else value)
        for key, value in changed.items()
    }
    return dict(dataset.stats) | own


def jitter_of(augment: Augment) -> Jitter:
    """Give the changes that are asked for, but for the shift."""
    return Jitter(**{field.name: getattr(augment, field.name) for field in fields(Jitter)})


def augmented(
    batch: Mapping[str, Tensor], specs: Specs, augment: Augment, generator: torch.Generator
) -> dict[str, Tensor]:
    """Shift a batch's pictures, uint8 (batch, ..., height, width, channel), and change how they look."""
    changed, jitter = dict(batch), jitter_of(augment)
    for key in (key for key, spec in specs.items() if spec.is_image and key in batch):
        changed[key] = jitter(random_shift(batch[key], augment.shift_px, generator), generator)
    return changed
