"""Choosing what draws the rows of a dataset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etude.data.dataset import Dataset, Episode
from etude.data.mix import Mix
from etude.data.sampler import EpisodeSampler, Sampler, WeightedSampler


def sampler_of(dataset: Dataset, episodes: Sequence[Episode], seed: int, drawn: int = 0) -> Sampler:
    """Make what draws rows of `episodes`, by the weights of a mix where `dataset` is one, after `drawn` rows."""
    if isinstance(dataset, Mix) and len(episodes):
        made = _weighted(dataset, episodes, seed)
    else:
        made = EpisodeSampler(episodes, seed)
    made.seek(drawn)
    return made


def _weighted(mix: Mix, episodes: Sequence[Episode], seed: int) -> Sampler:
    whose = mix.part_of(episodes)
    samplers, weights = [], []
    for part in np.unique(whose).tolist():
        own = [episodes[number] for number in np.flatnonzero(whose == part).tolist()]
        samplers.append(EpisodeSampler(own, int(np.random.SeedSequence([seed, part]).generate_state(1)[0])))
        weights.append(mix.parts[part].weight)
    return WeightedSampler(samplers, weights, seed)
