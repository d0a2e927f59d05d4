"""Exact quantiles of columns that need not fit into memory: a sketch tells where to look in a second pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from etude.core.sketch import Digest, rank_error

_MARGINS = (0.125, 0.5, 2.0)
"""Of the promised error of ranks: how far around a sketch's answer the exact one is looked for, try after try."""


def exact_quantiles(chunks: Callable[[], Iterable[np.ndarray]], told: Digest, levels: Sequence[float]) -> np.ndarray:
    """Give quantiles at `levels` as `np.quantile` does on all values, (level, *shape).

    `chunks` gives the values that `told` was made of, as often as it is called.
    """
    found = told.quantiles(levels).reshape(len(levels), -1)
    open_ones = [(i, j) for i in range(len(levels)) for j in range(found.shape[1]) if np.isfinite(found[i, j])]
    for margin in _MARGINS:
        windows = _windows(told, levels, margin)
        for chunk in chunks() if open_ones else ():
            columns = np.asarray(chunk, np.float64).reshape(len(chunk), found.shape[1]).T
            for i, j in open_ones:
                windows[i][j].add(columns[j])
        exact = {(i, j): windows[i][j].quantile(levels[i] * (told.count - 1)) for i, j in open_ones}
        for place, value in exact.items():
            found[place] = found[place] if value is None else value
        open_ones = [place for place, value in exact.items() if value is None]
    return found.reshape(len(levels), *told.shape)


def _windows(told: Digest, levels: Sequence[float], margin: float) -> list[list[_Window]]:
    near = np.array([rank_error(level) * margin + 3 / told.count for level in levels])
    low, high = (
        told.quantiles(np.clip(np.asarray(levels) + side * near, 0, 1).tolist()).reshape(len(levels), -1)
        for side in (-1, 1)
    )
    return [[_Window(*bounds) for bounds in zip(*pair, strict=True)] for pair in zip(low, high, strict=True)]


class _Window:
    """The values between two bounds, and how many lie below; values that occur often are held once."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high, self._below = low, high, 0
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, values: np.ndarray) -> None:
        self._below += int(np.count_nonzero(values < self._low))
        self._parts.append(np.unique(values[(values >= self._low) & (values <= self._high)], return_counts=True))

    def quantile(self, position: float) -> float | None:
        """Interpolate at a rank, from 0; none when it lies outside."""
        values, counts = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(values, kind="stable")
        ends = self._below + np.cumsum(counts[order])
        floor, ceil = np.floor(position), np.ceil(position)
        if not len(ends) or floor < self._below or ceil >= ends[-1]:
            return None
        below, above = (values[order][np.searchsorted(ends, rank, "right")] for rank in (floor, ceil))
        return float(below + (above - below) * (position - floor))
