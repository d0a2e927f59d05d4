"""Statistics of one entry of a dataset: what normalisation needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from etude.core import sketch
from etude.core.sketch import Digest, Sketch

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Mean, standard deviation (population), extremes and quantiles of one key; float64 arrays of one shape."""

    mean: np.ndarray
    std: np.ndarray
    min: np.ndarray
    max: np.ndarray
    count: int
    quantiles: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    sketch: Sketch | None = None
    """What quantiles of merged data are told from; it is not part of what LeRobot stores."""

    @classmethod
    def of(cls, values: np.ndarray) -> Stats:
        """Measure `values` along their first axis."""
        values = np.asarray(values, np.float64)
        levels = np.quantile(values, list(QUANTILES.values()), axis=0)
        return cls(
            mean=values.mean(0),
            std=values.std(0),
            min=values.min(0),
            max=values.max(0),
            count=len(values),
            quantiles=dict(zip(QUANTILES, levels, strict=True)),
            sketch=Digest.of(values),
        )

    @classmethod
    def merge(cls, parts: Sequence[Stats]) -> Stats:
        """Combine measurements of disjoint data: mean, std and extremes exactly, quantiles from the parts' sketches.

        The variance is the parallel formula (Chan et al., 1979). Where a part has no sketch, quantiles up to the
        median take the least of the parts and those above the greatest, as LeRobot 0.6 does, so that a normalised
        value seldom leaves [-1, 1]. Parts that do not know their count weigh the same.
        """
        count = np.array([part.count for part in parts], np.float64)
        weight = (count if count.all() else np.ones_like(count)).reshape(-1, *[1] * parts[0].mean.ndim)
        weight = weight / weight.sum()
        means = np.stack([part.mean for part in parts])
        mean = (weight * means).sum(0)
        variance = (weight * (np.stack([part.std for part in parts]) ** 2 + (means - mean) ** 2)).sum(0)
        joined = sketch.merged([part.sketch for part in parts])
        return cls(
            mean=mean,
            std=np.sqrt(variance),
            min=np.min([part.min for part in parts], axis=0),
            max=np.max([part.max for part in parts], axis=0),
            count=int(count.sum()),
            quantiles=_outer_quantiles(parts) if joined is None else quantiles_of(joined),
            sketch=joined,
        )

    def to_json(self) -> dict[str, list[Any]]:
        """Give the JSON object that LeRobot stores per key (`count` is a list of one)."""
        arrays = {"min": self.min, "max": self.max, "mean": self.mean, "std": self.std}
        stored = {name: array.tolist() for name, array in arrays.items()}
        return stored | {"count": [self.count]} | {name: array.tolist() for name, array in self.quantiles.items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Stats:
        """Read what `to_json` wrote; quantiles may be absent, and the count, as in old datasets: it is 0 then."""
        array = {name: np.asarray(value, np.float64) for name, value in stored.items()}
        return cls(
            mean=array["mean"],
            std=array["std"],
            min=array["min"],
            max=array["max"],
            count=int(array["count"].reshape(-1)[0]) if "count" in array else 0,
            quantiles={name: array[name] for name in QUANTILES if name in array},
        )


def quantiles_of(measured: Sketch) -> dict[str, np.ndarray]:
    """Give the quantiles that are stored, as a sketch tells them."""
    return dict(zip(QUANTILES, measured.quantiles(list(QUANTILES.values())), strict=True))


def _outer_quantiles(parts: Sequence[Stats]) -> dict[str, np.ndarray]:
    shared = [name for name in QUANTILES if all(name in part.quantiles for part in parts)]
    bound = {name: (np.min if QUANTILES[name] <= 0.5 else np.max) for name in shared}
    return {name: bound[name]([part.quantiles[name] for part in parts], axis=0) for name in shared}
