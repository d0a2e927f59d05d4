"""The sketches of a new version's episodes: those of the old one, and new ones of episodes that were cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

import numpy as np

from etude.core.errors import DatasetError
from etude.core.sketch import Sketch
from etude.core.stats import Stats
from etude.data.edit.measure import Measured
from etude.data.edit.plan import Plan
from etude.data.formats.lerobot_v3.layout import Place, path_of
from etude.data.sketches import SketchesOf, read_sketches, sketches_file, sketches_of, write_sketches


def carry_sketches(plan: Plan, data: Sequence[Place], found: Measured, folder: Path) -> dict[int, dict[str, Sketch]]:
    """Write the sketches of all new episodes, `data` being their places, and give them by their new keys.

    A damaged file of sketches counts as none: quantiles are outer bounds then.
    """
    written: dict[int, dict[str, Sketch]] = {}
    seen: dict[Path, SketchesOf] = {}
    for place, numbers in groupby(range(len(plan.kept)), key=lambda number: data[number]):
        episodes: dict[int, dict[str, Sketch]] = {}
        for number in numbers:
            kept = plan.kept[number]
            source = plan.sources[kept.source]
            path = sketches_file(source.root, source.data_path(source.data.place(kept.episode)))
            if path not in seen:
                seen = {path: _read(path)}  # episodes in a row are mostly of one file
            known = seen[path].get(kept.episode, {}) if plan.is_whole(kept) else {}
            now = {**known, **_moved(plan, number, known), **sketches_of(found.get(number, {}))}
            episodes[number] = {new: now[old] for old, new in plan.keys.items() if old in now}
        path = sketches_file(folder, folder / path_of(plan.sources[0].header.data_path, place))
        if not path.exists():  # it was linked with its table
            write_sketches(path, episodes)
        written |= episodes
    return written


def _moved(plan: Plan, number: int, known: Mapping[str, Sketch]) -> dict[str, Sketch]:
    """Sketch the numbers that tell where rows are, which are others now."""
    length = len(plan.kept[number])
    here = {"index": plan.starts[number] + np.arange(length), "episode_index": np.full(length, number)}
    return sketches_of({key: Stats.of(values[:, None]) for key, values in here.items() if key in known})


def _read(path: Path) -> SketchesOf:
    with suppress(DatasetError):
        return read_sketches([path])
    return {}
