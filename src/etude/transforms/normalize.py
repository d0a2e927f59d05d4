"""Bringing numbers to about the same size before a network sees them, and back; LeRobot's formulas to the digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from etude.core.errors import ConfigError
from etude.core.stats import Stats
from etude.transforms.arrays import Array, Values, like


class Mode(Enum):
    """How one key is normalised."""

    MEAN_STD = "mean_std"
    """To mean 0 and standard deviation 1."""
    MIN_MAX = "min_max"
    """From the extremes to [-1, 1]."""
    QUANTILES = "quantiles"
    """From the 1st and 99th percentile to [-1, 1]."""
    QUANTILE10 = "quantile10"
    """From the 10th and 90th percentile to [-1, 1]."""
    IDENTITY = "identity"
    """Not at all."""


BOUNDS = {Mode.MIN_MAX: ("min", "max"), Mode.QUANTILES: ("q01", "q99"), Mode.QUANTILE10: ("q10", "q90")}


@dataclass(frozen=True, kw_only=True, eq=False)
class _ByStats:
    """Changes the keys of `modes` by `stats`, one by one."""

    modes: Mapping[str, Mode]
    stats: Mapping[str, Stats]
    eps: float = 1e-8
    """Keeps a quantity that never changed from dividing by zero."""

    def __post_init__(self) -> None:
        _require_stats(self.modes, self.stats)

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with the values changed; keys that are not in it are passed over."""
        present = {key: mode for key, mode in self.modes.items() if key in frame and mode is not Mode.IDENTITY}
        return dict(frame) | {key: self._one(frame[key], self.stats[key], mode) for key, mode in present.items()}

    def _one(self, value: Array, stats: Stats, mode: Mode) -> Array:
        raise NotImplementedError


class Normalize(_ByStats):
    """Normalise the keys of `modes` by `stats`; values are not clipped."""

    def inverse(self) -> Unnormalize:
        """Give the transform that undoes this one."""
        return Unnormalize(modes=self.modes, stats=self.stats, eps=self.eps)

    def _one(self, value: Array, stats: Stats, mode: Mode) -> Array:
        if mode is Mode.MEAN_STD:
            return (value - like(stats.mean, value)) / like(stats.std.astype(np.float32) + self.eps, value)
        low, span = _bounds(stats, mode, self.eps)
        return 2 * (value - like(low, value)) / like(span, value) - 1


class Unnormalize(_ByStats):
    """Turn normalised values of the keys of `modes` back into their units."""

    def inverse(self) -> Normalize:
        """Give the transform that undoes this one."""
        return Normalize(modes=self.modes, stats=self.stats, eps=self.eps)

    def _one(self, value: Array, stats: Stats, mode: Mode) -> Array:
        if mode is Mode.MEAN_STD:
            # LeRobot adds eps on the way in only; a checkpoint's actions come out the same only if we do so, too.
            return value * like(stats.std, value) + like(stats.mean, value)
        low, span = _bounds(stats, mode, self.eps)
        return (value + 1) / 2 * like(span, value) + like(low, value)


def _bounds(stats: Stats, mode: Mode, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Give the lower bound and the distance to the upper one, `eps` where they are equal."""
    low, high = (_statistic(stats, name).astype(np.float32) for name in BOUNDS[mode])
    return low, np.where(high == low, np.float32(eps), high - low)


def _statistic(stats: Stats, name: str) -> np.ndarray:
    return stats.quantiles[name] if name.startswith("q") else getattr(stats, name)


def _require_stats(modes: Mapping[str, Mode], stats: Mapping[str, Stats]) -> None:
    for key, mode in modes.items():
        if mode is Mode.IDENTITY:
            continue
        if key not in stats:
            raise ConfigError(f"'{key}' is to be normalised by {mode.name}, but there are no statistics of it.")
        lacking = [name for name in BOUNDS.get(mode, ()) if name[0] == "q" and name not in stats[key].quantiles]
        if lacking:
            raise ConfigError(
                f"{mode.name} needs the quantiles {', '.join(lacking)} of '{key}', which this dataset does not hold. "
                "Compute its statistics anew, or choose MEAN_STD or MIN_MAX."
            )
