"""Depth pictures: millimetres as 12-bit codes, the way LeRobot 0.6 stores them, and their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from etude.core.stats import QUANTILES, Stats

_CODES, _LEVELS = 1 << 12, 1 << 16
_MM = 1000.0


@dataclass(frozen=True, kw_only=True)
class DepthCoding:
    """How distances become codes 0..4095. What is nearer or farther than the range becomes its edge."""

    min_m: float = 0.01
    max_m: float = 10.0
    shift_m: float = 3.5
    """Added before the logarithm: the smaller, the finer near distances are told apart."""
    use_log: bool = True
    """Whether steps grow with distance, as a depth camera's errors do."""

    @classmethod
    def from_info(cls, info: Mapping[str, Any]) -> DepthCoding:
        """Read what `meta/info.json` says of a depth camera; what it does not say is LeRobot's default."""
        said = {name: info[key] for name, key in _IN_INFO.items() if info.get(key) is not None}
        return cls(**said)

    def to_info(self) -> dict[str, Any]:
        """Give the entries of `meta/info.json`."""
        return {key: getattr(self, name) for name, key in _IN_INFO.items()}

    def quantised(self, depth_mm: np.ndarray) -> np.ndarray:
        """Turn millimetres, uint16, into codes, uint16."""
        return self._code_of[depth_mm]

    def dequantised(self, codes: np.ndarray) -> np.ndarray:
        """Turn codes into millimetres, uint16: at most half a step, and the rounding, from what they were."""
        return self._depth_of[np.minimum(codes, _CODES - 1)]

    @cached_property
    def _code_of(self) -> np.ndarray:
        low, high = self._scaled(np.array([self.min_m, self.max_m]))
        depth = np.maximum(np.arange(_LEVELS) / _MM, self.min_m)
        share = (self._scaled(depth) - low) / (high - low)
        return np.clip(np.rint(share * (_CODES - 1)), 0, _CODES - 1).astype(np.uint16)

    @cached_property
    def _depth_of(self) -> np.ndarray:
        low, high = self._scaled(np.array([self.min_m, self.max_m]))
        scaled = low + np.arange(_CODES) / (_CODES - 1) * (high - low)
        depth = np.exp(scaled) - self.shift_m if self.use_log else scaled
        return np.rint(np.clip(depth, self.min_m, self.max_m) * _MM).clip(0, _LEVELS - 1).astype(np.uint16)

    def _scaled(self, depth_m: np.ndarray) -> np.ndarray:
        return np.log(depth_m + self.shift_m) if self.use_log else depth_m


_IN_INFO = {
    "min_m": "video.depth_min",
    "max_m": "video.depth_max",
    "shift_m": "video.shift",
    "use_log": "video.use_log",
}


def count_depths(pixels: np.ndarray) -> np.ndarray:
    """Count how often each distance occurs [mm]: int64 (65536,)."""
    return np.bincount(pixels.reshape(-1), minlength=_LEVELS)


def depth_stats(counts: np.ndarray, num_frames: int) -> Stats:
    """Measure distances [mm] from how often each occurs; arrays are shaped (1, 1, 1), `count` is the frames."""
    depths = np.flatnonzero(counts)
    weights = counts[depths] / counts.sum()
    mean = weights @ depths
    return Stats(
        mean=_shaped(mean),
        std=_shaped(np.sqrt(weights @ (depths - mean) ** 2)),
        min=_shaped(depths[0]),
        max=_shaped(depths[-1]),
        count=num_frames,
        quantiles={name: _shaped(_quantile(counts, level)) for name, level in QUANTILES.items()},
    )


def _quantile(counts: np.ndarray, fraction: float) -> float:
    """Interpolate between order statistics, as `np.quantile` does on the values themselves."""
    cumulative = counts.cumsum()
    position = fraction * (cumulative[-1] - 1)
    below, above = (np.searchsorted(cumulative, rank, "right") for rank in (np.floor(position), np.ceil(position)))
    return below + (above - below) * (position - np.floor(position))


def _shaped(value: float) -> np.ndarray:
    return np.full((1, 1, 1), value, np.float64)
