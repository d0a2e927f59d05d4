"""Where an episode begins to move, and where it stops."""

from __future__ import annotations

import numpy as np

from etude.core.errors import UserError
from etude.data.edit.frames import rows_of
from etude.data.edit.plan import whole
from etude.data.edit.source import Source
from etude.data.lerobot import tables

_WATCHED = ("action", "observation.state")
"""What moves, the first of them that there is."""


def moving_spans(source: Source, speed: float, margin_s: float) -> dict[int, tuple[int, int]]:
    """Find the frames of each episode in which something moves, and `margin_s` around them.

    An element of the action moves when it changes by more than `speed` of its range in a second. An episode in which
    nothing moves is left out.
    """
    key = next((key for key in _WATCHED if source.features.get(key, {}).get("dtype", "").startswith("float")), None)
    if key is None:
        raise UserError(f"{source.root} has neither a numeric 'action' nor 'observation.state' to tell idle frames by.")
    shape = tuple(source.features[key]["shape"])
    values = [tables.to_numpy(rows_of(source, kept)[key], shape).reshape(len(kept), -1) for kept in whole(source)]
    extent = np.ptp(np.concatenate(values), axis=0)
    least, margin = speed * np.where(extent > 0, extent, np.inf) / source.fps, round(margin_s * source.fps)
    spans: dict[int, tuple[int, int]] = {}
    for number, positions in enumerate(values):
        moving = np.flatnonzero((np.abs(np.diff(positions, axis=0)) > least).any(1))
        if len(moving):
            start, stop = max(int(moving[0]) - margin, 0), min(int(moving[-1]) + 2 + margin, len(positions))
            if (start, stop) != (0, len(positions)):
                spans[number] = (start, stop)
    return spans
