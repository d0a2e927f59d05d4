"""Quantiles of any amount of data in a few kilobytes; sketches of parts merge into one of the whole.

Numbers go into a `Digest`: Dunning and Ertl, "Computing Extremely Accurate Quantiles Using t-Digests", 2019. Here the
clusters are cells of the paper's scale function k1 instead of grown one by one, so that all dimensions of a vector are
done by the same few array operations. Pictures go into a `Histogram`, which is exact.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etude.core.errors import ConfigError

CELLS = 100
"""Clusters of a digest. What a cluster around quantile q holds of the data is about pi sqrt(q (1 - q)) / CELLS."""
EXACT_UP_TO = 128
"""Values that a digest holds one by one."""
_AT_ONCE = 256
"""Digests that are merged in one step."""
_COARSE = 1e-6
"""Of the spread of the values: how far off the middle of a cluster may be to be packed in half the bytes."""
_VERSION, _DIGEST, _HISTOGRAM = 1, 1, 2
_HEAD = struct.Struct("<BBQH")
"""Payload version, kind of sketch, count, number of axes."""


@dataclass(frozen=True, eq=False)
class Digest:
    """Clusters of values along one axis, for each element of an array.

    `means` and `weights` are (elements, clusters); clusters of weight 0 hold nothing. Up to `EXACT_UP_TO` values the
    quantiles are those of the values themselves, linearly interpolated; beyond, `rank_error` tells how far they may be
    off. A NaN among the values of an element makes its quantiles NaN.
    """

    shape: tuple[int, ...]
    count: int
    low: np.ndarray
    high: np.ndarray
    means: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Digest:
        """Take in `values` along their first axis."""
        values = np.asarray(values, np.float64)
        flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
        whole = cls(values.shape[1:], len(flat), flat.min(0), flat.max(0), flat.T, np.ones(flat.T.shape))
        return whole._compressed()

    @classmethod
    def merge(cls, parts: Sequence[Digest]) -> Digest:
        """Combine digests of disjoint data."""
        merged = list(parts)
        while len(merged) > 1:
            steps = range(0, len(merged), _AT_ONCE)
            merged = [cls._joined(merged[step : step + _AT_ONCE]) for step in steps]
        return merged[0]

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """Estimate the quantiles at `levels`: (level, *shape)."""
        ranks = np.asarray(levels) * (self.count - 1)
        found = np.empty((len(ranks), len(self.means)))
        for element in range(len(self.means)):
            found[:, element] = self._values_at(element, ranks)
        return found.reshape(len(ranks), *self.shape)

    def to_bytes(self) -> bytes:
        """Pack for a file."""
        with np.errstate(all="ignore"):
            spread = (self.high - self.low)[:, None]
            is_coarse = bool((np.abs(self.means - self.means.astype(np.float32)) <= _COARSE * spread).all())
        head = _HEAD.pack(_VERSION, _DIGEST, self.count, len(self.shape))
        sizes = struct.pack(f"<{len(self.shape) + 2}I", *self.shape, self.means.shape[1], 4 if is_coarse else 8)
        ends = np.stack([self.low, self.high]).astype("<f8").tobytes()
        means = self.means.astype("<f4" if is_coarse else "<f8").tobytes()
        return head + sizes + zlib.compress(ends + means + self.weights.astype("<u4").tobytes())

    @classmethod
    def unpack(cls, count: int, shape: tuple[int, ...], rest: bytes) -> Digest:
        """Read what follows count and shape in a payload."""
        clusters, size = struct.unpack_from("<2I", rest)
        data, elements = zlib.decompress(rest[8:]), int(np.prod(shape))
        ends, means = 16 * elements, size * elements * clusters
        low, high = np.frombuffer(data[:ends], "<f8").reshape(2, elements)
        return cls(
            shape=shape,
            count=count,
            low=low,
            high=high,
            means=np.frombuffer(data[ends : ends + means], f"<f{size}").reshape(elements, clusters).astype(np.float64),
            weights=np.frombuffer(data[ends + means :], "<u4").reshape(elements, clusters).astype(np.float64),
        )

    @classmethod
    def _joined(cls, parts: Sequence[Digest]) -> Digest:
        if len({part.shape for part in parts}) > 1:
            raise ConfigError(f"Sketches of shapes {sorted({part.shape for part in parts})} cannot be merged.")
        joined = cls(
            shape=parts[0].shape,
            count=sum(part.count for part in parts),
            low=np.min([part.low for part in parts], axis=0),
            high=np.max([part.high for part in parts], axis=0),
            means=np.concatenate([part.means for part in parts], axis=1),
            weights=np.concatenate([part.weights for part in parts], axis=1),
        )
        return joined._compressed()

    def _compressed(self) -> Digest:
        """Sort the clusters, and unite those whose middles lie in one cell of the scale k1."""
        if self.means.shape[1] <= EXACT_UP_TO:
            return self
        order = np.argsort(self.means, axis=1, kind="stable")
        means, weights = np.take_along_axis(self.means, order, 1), np.take_along_axis(self.weights, order, 1)
        middle = np.clip((np.cumsum(weights, 1) - weights / 2) / self.count, 0, 1)
        cell = np.minimum((np.arcsin(2 * middle - 1) / np.pi + 0.5) * CELLS, CELLS - 1).astype(np.int64)
        place = (cell + CELLS * np.arange(len(means))[:, None]).ravel()
        total, summed = (
            np.bincount(place, each.ravel(), CELLS * len(means)).reshape(-1, CELLS)
            for each in (weights, weights * means)
        )
        mean = np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)
        mean = np.clip(mean, self.low[:, None], self.high[:, None])
        return Digest(self.shape, self.count, self.low, self.high, mean, total)

    def _values_at(self, element: int, ranks: np.ndarray) -> np.ndarray:
        if np.isnan(self.low[element]):
            return np.full(len(ranks), np.nan)
        is_held = self.weights[element] > 0
        means, weights = self.means[element, is_held], self.weights[element, is_held]
        order = np.argsort(means, kind="stable")
        means, weights = means[order], weights[order]
        middle = np.cumsum(weights) - (weights + 1) / 2
        places = np.concatenate([[0], middle, [self.count - 1]])
        values = np.concatenate([self.low[[element]], means, self.high[[element]]])
        return np.interp(ranks, places, values)


def rank_error(level: float) -> float:
    """Tell how far, as a fraction of the data, the rank of a digest's quantile may be from `level`: four clusters.

    Of values that seldom repeat it is off by about a fifth of that, however they are merged. Where a few values make
    up the data, a cluster that two of them share stands for a value between, and merging one by one moves it about.
    Tests hold every order of merging to this; it is no proof.
    """
    return 4 * np.pi * np.sqrt(level * (1 - level)) / CELLS + (np.pi / CELLS) ** 2


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each value of uint8 pictures occurs, per channel: quantiles of 0..1 are exact."""

    counts: np.ndarray
    """int64 (channel, 256)."""
    count: int
    """Pictures measured."""

    @classmethod
    def merge(cls, parts: Sequence[Histogram]) -> Histogram:
        """Combine histograms of disjoint pictures."""
        counts = np.sum([part.counts for part in parts], axis=0, dtype=np.int64)
        return cls(np.asarray(counts), sum(part.count for part in parts))

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """Give what `np.quantile` gives on the pixels' values themselves: (level, channel, 1, 1)."""
        cumulative = self.counts.cumsum(1)
        found: list[np.ndarray] = []
        for level in levels:
            position = level * (cumulative[0, -1] - 1)
            below, above = ((cumulative <= rank).sum(1) for rank in (np.floor(position), np.ceil(position)))
            found.append(below + (above - below) * (position - np.floor(position)))
        top = self.counts.shape[1] - 1
        return np.stack(found).reshape(len(levels), -1, 1, 1) / top

    def to_bytes(self) -> bytes:
        """Pack for a file."""
        head = _HEAD.pack(_VERSION, _HISTOGRAM, self.count, self.counts.ndim)
        sizes = struct.pack(f"<{self.counts.ndim}I", *self.counts.shape)
        return head + sizes + zlib.compress(self.counts.astype("<i8").tobytes(), 1)

    @classmethod
    def unpack(cls, count: int, shape: tuple[int, ...], rest: bytes) -> Histogram:
        """Read what follows count and shape in a payload."""
        return cls(np.frombuffer(zlib.decompress(rest), "<i8").reshape(shape), count)


Sketch = Digest | Histogram


def merged(parts: Sequence[Sketch | None]) -> Sketch | None:
    """Combine sketches of one kind; none where one is missing or they are of two kinds."""
    digests = [part for part in parts if isinstance(part, Digest)]
    histograms = [part for part in parts if isinstance(part, Histogram)]
    if len(digests) == len(parts) and len({part.shape for part in digests}) == 1:
        return Digest.merge(digests)
    if len(histograms) == len(parts) and len({part.counts.shape for part in histograms}) == 1:
        return Histogram.merge(histograms)
    return None


def from_bytes(payload: bytes) -> Sketch:
    """Unpack what `to_bytes` gave; raise `ConfigError` when it is damaged or of a later version."""
    try:
        version, kind, count, axes = _HEAD.unpack_from(payload)
        if version != _VERSION or kind not in (_DIGEST, _HISTOGRAM):
            raise ConfigError(f"A sketch of version {version}, kind {kind} is not known here..")
        shape = struct.unpack_from(f"<{axes}I", payload, _HEAD.size)
        rest = payload[_HEAD.size + 4 * axes :]
        return (Digest if kind == _DIGEST else Histogram).unpack(count, shape, rest)
    except (struct.error, zlib.error, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"A sketch cannot be read ({error}); it is damaged.") from error
