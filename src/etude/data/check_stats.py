"""Whether stored statistics are those of the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from etude.core.stats import QUANTILES, Stats
from etude.data.check_rows import RowCheck
from etude.data.dataset import Problem
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.stats_file import FILE
from etude.data.remedy import Remedy
from etude.data.statistics import shape_of

_MOMENTS = ("min", "max", "mean", "std")
_OF_RANGE, _OF_VALUE, _LEAST = 1e-3, 1e-4, 1e-6
"""How far a stored value may be from the right one: LeRobot 0.3 and before added up in float32."""
_EDGE = 1e-6
"""How far a quantile may lie outside the extremes: LeRobot's histograms are a little wider than the data."""


def stats_problems(dataset: LeRobotDataset, rows: RowCheck, remedy: Remedy) -> Iterator[Problem]:
    """Compare what is stored with the specs, with itself, and with the table's rows."""
    stored, right = dataset.contents.stats, rows.stats
    for key, spec in dataset.specs.items() if dataset.episodes.num_frames else ():
        if key not in stored:
            yield _problem(f"'{key}' has no statistics", remedy)
            continue
        what = _shape(key, stored[key], shape_of(spec)) or _order(key, stored[key])
        if what is None and key in right:
            what = _difference(key, stored[key], right[key])
        if what is not None:
            yield _problem(what, remedy)


def stats_notes(dataset: LeRobotDataset, remedy: Remedy) -> Iterator[str]:
    """Tell which statistics have to be measured before normalising by quantiles."""
    lacking = [
        key
        for key, stats in dataset.contents.stats.items()
        if key in dataset.specs and any(name not in stats.quantiles for name in QUANTILES)
    ]
    if lacking:
        yield (
            f"No quantiles are stored of {', '.join(lacking)}; they are measured when a policy asks for them. "
            f"{remedy.measure()}"
        )


def _problem(what: str, remedy: Remedy) -> Problem:
    return Problem(what=what, where=str(FILE), remedy=remedy.measure())


def _shape(key: str, stats: Stats, wanted: tuple[int, ...]) -> str | None:
    arrays = {name: getattr(stats, name) for name in _MOMENTS} | dict(stats.quantiles)
    for name, values in arrays.items():
        if values.shape != wanted:
            return f"the {name} of '{key}' is shaped {list(values.shape)}, not {list(wanted)}"
        if not np.isfinite(values).all():
            return f"the {name} of '{key}' holds NaN or infinity"
    return None


def _order(key: str, stats: Stats) -> str | None:
    """Compare what must ascend: the extremes, the quantiles, the mean."""
    ascending = ["min", *(name for name in QUANTILES if name in stats.quantiles), "max"]
    values = [getattr(stats, name) if name in _MOMENTS else stats.quantiles[name] for name in ascending]
    edge = _EDGE + _EDGE * np.abs(stats.max - stats.min)
    for low, high, name, other in zip(values, values[1:], ascending, ascending[1:], strict=False):
        if (low > high + edge).any():
            return f"the {name} of '{key}' is above its {other}"
    slack = _slack(stats)
    if (stats.mean < stats.min - slack).any() or (stats.mean > stats.max + slack).any():
        return f"the mean of '{key}' is not between its min and max"
    return f"the std of '{key}' is negative" if (stats.std < 0).any() else None


def _difference(key: str, stored: Stats, right: Stats) -> str | None:
    slack = _slack(right)
    for name in _MOMENTS:
        old, new = getattr(stored, name).reshape(-1), getattr(right, name).reshape(-1)
        is_off = ~(np.abs(old - new) <= slack.reshape(-1))
        if is_off.any() and np.isfinite(new).all():
            at = int(is_off.argmax())
            return f"the {name} of '{key}' is {old[at]:.6g} in element {at}, but that of its rows is {new[at]:.6g}"
    return None


def _slack(stats: Stats) -> np.ndarray:
    size = np.maximum(np.abs(stats.min), np.abs(stats.max))
    return _LEAST + _OF_VALUE * size + _OF_RANGE * (stats.max - stats.min)
