"""Choosing what draws the rows of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etude.data.dataset import Dataset, Episode
from etude.data.episodes import bounds
from etude.data.mix import Mix
from etude.data.sampler import EpisodeSampler, Sampler, StreamSampler, WeightedSampler


def sampler_of(
    dataset: Dataset, episodes: Sequence[Episode], seed: int, *, drawn: int = 0, is_streamed: bool = False
) -> Sampler:
    """Make what draws rows of `episodes`, as it is after `drawn` rows; those of a mix by the weights of its datasets.

    Streamed, it draws from a few files at a time.
    """
    if isinstance(dataset, Mix) and len(episodes):
        made = _weighted(dataset, episodes, seed, is_streamed)
    else:
        made = _single(dataset, episodes, seed, is_streamed)
    made.seek(drawn)
    return made


def _single(dataset: Dataset, episodes: Sequence[Episode], seed: int, is_streamed: bool) -> Sampler:
    if not is_streamed:
        return EpisodeSampler(episodes, seed)
    return StreamSampler(episodes, dataset.file_groups()[dataset.episodes.of(bounds(episodes)[0])], seed)


def _weighted(mix: Mix, episodes: Sequence[Episode], seed: int, is_streamed: bool) -> Sampler:
    whose = mix.part_of(episodes)
    numbers = mix.episodes.of(bounds(episodes)[0])
    samplers, weights = [], []
    for part in np.unique(whose).tolist():
        own_seed = int(np.random.SeedSequence([seed, part]).generate_state(1)[0])
        samplers.append(_single(mix, mix.episodes.chosen(numbers[whose == part]), own_seed, is_streamed))
        weights.append(mix.parts[part].weight)
    return WeightedSampler(samplers, weights, seed)
