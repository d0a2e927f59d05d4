"""Statistics of a mix: every element's over the datasets that have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from etude.core.spec import Spec
from etude.core.stats import Stats


def mixed_stats(specs: Mapping[str, Spec], parts: Sequence[Mapping[str, Stats | None]]) -> dict[str, Stats]:
    """Merge the statistics of the datasets, per key; a key that none has measured has none."""
    merged = {key: _merged([part[key] for part in parts]) for key in specs}
    return {key: stats for key, stats in merged.items() if stats is not None}


def _merged(parts: Sequence[Stats | None]) -> Stats | None:
    there = [part for part in parts if part is not None]
    if not there:
        return None
    widths = sorted({len(part.mean) for part in there})
    if len(widths) == 1:
        return Stats.merge(there)
    pieces = []
    for begin, end in zip([0, *widths], widths, strict=False):
        pieces.append(Stats.merge([_cut(part, begin, end) for part in there if len(part.mean) >= end]))
    return _side_by_side(pieces)


def _cut(stats: Stats, begin: int, end: int) -> Stats:
    return Stats(
        mean=stats.mean[begin:end],
        std=stats.std[begin:end],
        min=stats.min[begin:end],
        max=stats.max[begin:end],
        count=stats.count,
        quantiles={name: values[begin:end] for name, values in stats.quantiles.items()},
    )


def _side_by_side(pieces: Sequence[Stats]) -> Stats:
    shared = [name for name in pieces[0].quantiles if all(name in piece.quantiles for piece in pieces)]
    return Stats(
        mean=np.concatenate([piece.mean for piece in pieces]),
        std=np.concatenate([piece.std for piece in pieces]),
        min=np.concatenate([piece.min for piece in pieces]),
        max=np.concatenate([piece.max for piece in pieces]),
        count=max(piece.count for piece in pieces),
        quantiles={name: np.concatenate([piece.quantiles[name] for piece in pieces]) for name in shared},
    )
