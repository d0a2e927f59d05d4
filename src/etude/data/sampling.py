"""Choosing what draws the rows of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from etude.core.errors import ConfigError, NotFound
from etude.data.dataset import Dataset, Episode
from etude.data.episodes import Episodes, Rows, bounds
from etude.data.mix import Mix
from etude.data.sampler import EpisodeSampler, FrameWeightedSampler, Sampler, StreamSampler, WeightedSampler

_ALL_AT_ONCE = "Frames with weights are drawn from all files at once: leave out streaming, or weights and emphasis."


@dataclass(frozen=True, kw_only=True)
class Draw:
    """How rows are drawn."""

    seed: int = 0
    is_streamed: bool = False
    """From a few files at a time."""
    drop_n_last: int = 0
    """Frames at the end of every episode that are not drawn."""
    weights: str = ""
    """Column that tells how often each row is drawn, relative to the others; none: all alike.

    In a dataset of a mix that has no such column, all are alike."""

    def __post_init__(self) -> None:
        if self.is_streamed and self.weights:
            raise ConfigError(_ALL_AT_ONCE)


def sampler_of(
    dataset: Dataset,
    episodes: Sequence[Episode],
    how: Draw,
    *,
    left_out: np.ndarray | None = None,
    emphasis: np.ndarray | None = None,
    drawn: int = 0,
) -> Sampler:
    """Make what draws rows of `episodes`, as it is after `drawn` rows; of a mix by the weights of its datasets.

    `left_out` (row,) tells which rows of the dataset are never drawn, `emphasis` (row,) how often each of the others is
    relative to what else is asked for.
    """
    chosen = _shortened(dataset, episodes, how.drop_n_last)
    if left_out is not None:
        chosen = _without(dataset, chosen, left_out)
    if isinstance(dataset, Mix) and len(chosen):
        made = _by_dataset(dataset, chosen, how, emphasis)
    else:
        made = _single(dataset, chosen, how, emphasis)
    made.seek(drawn)
    return made


def _shortened(dataset: Dataset, episodes: Sequence[Episode], drop_n_last: int) -> Episodes:
    """Take frames off the end of every episode; those that have no more frames are left out."""
    start, length = bounds(episodes)
    numbers, left = dataset.episodes.of(start), length - drop_n_last
    kept = left > 0
    if len(length) and not kept.any():
        raise ConfigError(
            f"drop_n_last_frames = {drop_n_last} leaves nothing to learn from: the longest episode of {dataset.root} "
            f"has {length.max()} frames."
        )
    own = dataset.episodes
    kept_numbers = numbers[kept]
    return Episodes(
        own.indices[kept_numbers],
        start[kept],
        left[kept],
        lambda number: own.tasks(int(kept_numbers[number])),
    )


def _without(dataset: Dataset, episodes: Episodes, left_out: np.ndarray) -> Episodes:
    """Cut episodes into the stretches between rows that are left out."""
    rows = Rows(*bounds(episodes))
    kept = rows.at(np.arange(len(rows)))
    kept = kept[~left_out[kept]]
    number = dataset.episodes.of(kept)
    first = np.flatnonzero((np.diff(kept, prepend=-2) != 1) | (np.diff(number, prepend=-1) != 0))
    length, own = np.diff(first, append=len(kept)), number[first]
    return Episodes(
        dataset.episodes.indices[own], kept[first], length, lambda part: dataset.episodes.tasks(int(own[part]))
    )


def _single(dataset: Dataset, episodes: Episodes, how: Draw, emphasis: np.ndarray | None) -> Sampler:
    if how.is_streamed and emphasis is not None:
        raise ConfigError(_ALL_AT_ONCE)
    if how.weights or emphasis is not None:
        weights = _weights(dataset, episodes, how.weights) if how.weights else 1.0
        rows = Rows(*bounds(episodes))
        own = 1.0 if emphasis is None else emphasis[rows.at(np.arange(len(rows)))]
        return FrameWeightedSampler(episodes, np.asarray(weights * own), how.seed)
    if not how.is_streamed:
        return EpisodeSampler(episodes, how.seed)
    return StreamSampler(episodes, dataset.file_groups()[dataset.episodes.of(episodes.start)], how.seed)


def _weights(dataset: Dataset, episodes: Episodes, column: str) -> np.ndarray:
    """Read what each row of `episodes` weighs."""
    if column not in dataset.specs or dataset.specs[column].is_image or dataset.specs[column].is_depth:
        raise NotFound("column of weights", column, [key for key, spec in dataset.specs.items() if not spec.is_image])
    rows = Rows(*bounds(episodes))
    weights = dataset.take(column, rows.at(np.arange(len(rows)))).astype(np.float64).reshape(len(rows), -1)
    if weights.shape[1] != 1:
        raise ConfigError(f"'{column}' should hold one weight for each frame, got {weights.shape[1]}.")
    return weights[:, 0]


def _by_dataset(mix: Mix, episodes: Episodes, how: Draw, emphasis: np.ndarray | None) -> Sampler:
    whose = mix.part_of(episodes)
    samplers, weights = [], []
    for part in np.unique(whose).tolist():
        own_seed = int(np.random.SeedSequence([how.seed, part]).generate_state(1)[0])
        chosen = episodes.chosen(np.flatnonzero(whose == part))
        # What has no such column, such as demonstrations beside corrections, was given to be learned from as a whole.
        lacks = how.weights in mix.specs and mix.parts[part].spec(how.weights) is None
        own = replace(how, seed=own_seed, weights="" if lacks else how.weights)
        samplers.append(_single(mix, chosen, own, emphasis))
        weights.append(mix.parts[part].weight)
    return WeightedSampler(samplers, weights, how.seed)
