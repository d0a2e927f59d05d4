"""The sketches of a new version's episodes: those of the old one, and new ones of episodes that were cut."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.edit.measure import Measured
from etude.data.edit.plan import Plan
from etude.data.formats.lerobot_v3.layout import Place, path_of
from etude.data.sketches import read_packed, sketches_file, sketches_of, write_packed


def carry_sketches(plan: Plan, data: Sequence[Place], found: Measured, folder: Path) -> None:
    """Write the sketches of all new episodes, `data` being their places; those of a table that is linked are there.

    A damaged file of sketches counts as none: quantiles are outer bounds then.
    """
    seen: dict[Path, dict[int, dict[str, bytes]]] = {}
    for place, numbers in groupby(range(len(plan.kept)), key=lambda number: data[number]):
        target = sketches_file(folder, folder / path_of(plan.sources[0].header.data_path, place))
        if target.exists():
            continue
        episodes: dict[int, dict[str, bytes]] = {}
        for number in numbers:
            kept = plan.kept[number]
            source = plan.sources[kept.source]
            path = sketches_file(source.root, source.data_path(source.data.place(kept.episode)))
            if path not in seen:
                seen = {path: _read(path)}  # episodes in a row are mostly of one file
            known = seen[path].get(kept.episode, {}) if plan.is_whole(kept) else {}
            measured = {key: each.to_bytes() for key, each in sketches_of(found.get(number, {})).items()}
            now = known | measured
            episodes[number] = {new: now[old] for old, new in plan.keys.items() if old in now}
        write_packed(target, episodes)


def _read(path: Path) -> dict[int, dict[str, bytes]]:
    with suppress(DatasetError):
        return read_packed(path)
    return {}
