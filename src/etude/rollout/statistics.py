"""How sure one can be of a count, and of the difference between two: intervals and exact tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z_95, Z_POWER = 1.959963984540054, 0.8416212335729143
"""Quantiles of the normal distribution: of 95 % intervals, and of 80 % power."""
_PARTS, _RESAMPLES, _RESAMPLING_SEED = 10, 1000, 0
"""Resamples are drawn in parts, or those of thousands of rollouts would fill the memory."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Two agents on the same scenes, counted by who succeeded."""

    both: int
    first: int
    """Scenes in which only the first did."""
    second: int
    neither: int

    @classmethod
    def of(cls, first: Sequence[bool], second: Sequence[bool]) -> Pairs:
        """Count."""
        counts = [sum((one, other) == kind for one, other in zip(first, second, strict=True)) for kind in _KINDS]
        return cls(both=counts[0], first=counts[1], second=counts[2], neither=counts[3])

    @property
    def n(self) -> int:
        """How many scenes."""
        return self.both + self.first + self.second + self.neither

    @property
    def successes(self) -> tuple[int, int]:
        """Of the first and of the second."""
        return self.both + self.first, self.both + self.second


_KINDS = ((True, True), (True, False), (False, True), (False, False))


def wilson(successes: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """Give the interval of a success probability after `successes` of `n` (Wilson, 1927), 95 % by default."""
    if n == 0:
        return 0.0, 1.0
    rate = successes / n
    centre = rate + z * z / (2 * n)
    margin = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = (centre - margin) / scale if successes else 0.0
    high = (centre + margin) / scale if successes < n else 1.0
    return low, high


def mcnemar(pairs: Pairs) -> float:
    """Give the probability that chance alone divides the scenes so unevenly, or more (McNemar's test, exact)."""
    n, least = pairs.first + pairs.second, min(pairs.first, pairs.second)
    tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n
    return min(1.0, 2 * tail)


def fisher(first: int, n_first: int, second: int, n_second: int) -> float:
    """Give the probability of successes so unevenly divided, or more, between two that are equal (Fisher, exact)."""
    total = first + second
    ways = {
        k: math.comb(n_first, k) * math.comb(n_second, total - k)
        for k in range(max(0, total - n_second), min(n_first, total) + 1)
    }
    whole = math.comb(n_first + n_second, total)
    return min(1.0, float(sum(way for way in ways.values() if way <= ways[first]) / whole))


def newcombe(first: int, n_first: int, second: int, n_second: int) -> tuple[float, float]:
    """Give the 95 % interval of the second's success probability minus the first's (Newcombe, 1998a, method 10)."""
    return _square_and_add(first, n_first, second, n_second, 0.0)


def newcombe_paired(pairs: Pairs) -> tuple[float, float]:
    """Give the same interval for scenes that both ran in (Newcombe, 1998b, method 10)."""
    first, second = pairs.successes
    margins = first * (pairs.n - first) * second * (pairs.n - second)
    excess = pairs.both * pairs.neither - pairs.first * pairs.second
    if excess > 0:
        excess = max(excess - pairs.n / 2, 0)
    return _square_and_add(first, pairs.n, second, pairs.n, excess / math.sqrt(margins) if margins else 0.0)


def _square_and_add(first: int, n_first: int, second: int, n_second: int, correlation: float) -> tuple[float, float]:
    """Combine the Wilson intervals of two rates into one of their difference."""
    (low_a, high_a), (low_b, high_b) = wilson(first, n_first), wilson(second, n_second)
    a, b = first / n_first, second / n_second
    down = (b - low_b) ** 2 - 2 * correlation * (b - low_b) * (high_a - a) + (high_a - a) ** 2
    up = (high_b - b) ** 2 - 2 * correlation * (high_b - b) * (a - low_a) + (a - low_a) ** 2
    return b - a - math.sqrt(max(down, 0.0)), b - a + math.sqrt(max(up, 0.0))


def scenes_needed(pairs: Pairs) -> int | None:
    """Count the scenes in which McNemar's test would show this difference four times of five (Connor, 1987).

    None when there is no difference to show.
    """
    apart, difference = (pairs.first + pairs.second) / pairs.n, (pairs.second - pairs.first) / pairs.n
    if not difference:
        return None
    root = Z_95 * math.sqrt(apart) + Z_POWER * math.sqrt(apart - difference**2)
    return math.ceil((root / difference) ** 2)


def rollouts_needed(first: float, second: float) -> int | None:
    """Count the rollouts of each that would show these rates to differ four times of five (Fleiss, 1981).

    None when there is no difference to show.
    """
    if first == second:
        return None
    middle = (first + second) / 2
    root = Z_95 * math.sqrt(2 * middle * (1 - middle))
    root += Z_POWER * math.sqrt(first * (1 - first) + second * (1 - second))
    return math.ceil((root / (second - first)) ** 2)


def mean_difference(first: np.ndarray, second: np.ndarray, *, is_paired: bool) -> tuple[float, float, float]:
    """Give the mean of `second` minus that of `first`, and its 95 % interval, by resampling (percentile bootstrap)."""
    rng = np.random.default_rng(_RESAMPLING_SEED)
    if is_paired:
        means = _resampled_means(second - first, rng)
    else:
        means = _resampled_means(second, rng) - _resampled_means(first, rng)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(second.mean() - first.mean()), float(low), float(high)


def _resampled_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    even = np.full(len(values), 1 / len(values))
    counts = (rng.multinomial(len(values), even, size=_RESAMPLES) for _ in range(_PARTS))
    return np.concatenate([part @ values / len(values) for part in counts])


def holm(probabilities: Sequence[float]) -> list[float]:
    """Adjust the probabilities of several tests, so that all together err in one case of twenty (Holm, 1979)."""
    order = np.argsort(probabilities, kind="stable")
    adjusted, highest = [0.0] * len(probabilities), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[index]))
        adjusted[index] = highest
    return adjusted
