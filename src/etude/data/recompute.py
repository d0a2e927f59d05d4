"""Measures the statistics of a LeRobot v3.0 dataset again, per episode and whole, into a new version of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from etude.core.errors import NotFound, UserError
from etude.core.stats import Stats
from etude.data.episodes import Episode
from etude.data.formats.lerobot_v3.layout import EPISODES_FOLDER, EPISODES_PATH, Place, after, path_of, place_of
from etude.data.formats.lerobot_v3.metadata import episode_row
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.lerobot import tables
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import DEFAULT_FEATURES
from etude.data.lerobot.measure import measured
from etude.data.lerobot.stats_file import FILE as STATS_FILE
from etude.data.lerobot.stats_file import merge_episodes, read_stats, write_stats
from etude.data.opening import open_dataset
from etude.data.sketches import FOLDER as SKETCHES
from etude.data.sketches import read_sketches, sketches_file, sketches_of, write_sketches
from etude.data.statistics import Tell
from etude.data.versions import link_tree, locked, new_version

_MERGED_AT_ONCE = 64


def recompute(root: Path, keys: Sequence[str] = (), tell: Tell = lambda *_: None) -> list[str]:
    """Measure `keys`, or all, and swap in a version of `root` with the new statistics; tell which keys were measured.

    Raises `UserError` unless `root` is a LeRobot v3.0 dataset with these keys.
    """
    with locked(root):
        dataset = open_dataset(root)
        if not isinstance(dataset, LeRobotDataset) or dataset.format != "lerobot_v3":
            raise UserError(
                f"{root} is a dataset of format {dataset.format}; statistics are written to LeRobot v3.0 only. "
                f"Convert it first: etude dataset convert {root}"
            )
        wanted = _wanted(dataset, keys)
        with new_version(root, f"measured {', '.join(keys) or 'all keys'} again") as draft:
            link_tree(root, draft, _stays)
            stats = _Work(dataset, root, draft, wanted, tell).done()
            stored = {key: part for key, part in read_stats(root).items() if key in dataset.header.features}
            write_stats(draft, stored | stats)
    return wanted


def _wanted(dataset: LeRobotDataset, keys: Sequence[str]) -> list[str]:
    known = [key for key in dataset.header.features if key in dataset.specs or key in DEFAULT_FEATURES]
    for key in keys:
        if key not in known:
            raise NotFound("key with statistics", key, known)
    return [key for key in known if key in keys] if keys else known


def _stays(path: Path) -> bool:
    folders = (EPISODES_FOLDER, SKETCHES)
    return path != STATS_FILE and not any(path.is_relative_to(folder) for folder in folders)


class _Work:
    def __init__(self, dataset: LeRobotDataset, root: Path, draft: Path, wanted: Sequence[str], tell: Tell) -> None:
        self._dataset, self._root, self._draft, self._wanted, self._tell = dataset, root, draft, wanted, tell
        self._merged: list[dict[str, Stats]] = []

    def done(self) -> dict[str, Stats]:
        """Write sketches and the episodes table; give the statistics of the whole."""
        numbers = range(len(self._dataset.episodes))
        parts = self._episodes(numbers)
        header = self._dataset.header
        own: Place = after(map(place_of, episodes_files(self._root)), header.chunks_size)
        for path in episodes_files(self._root):
            table = tables.read(path)
            table = table.slice(0, sum(index < len(numbers) for index in table["episode_index"].to_pylist()))
            if len(table):
                rows = [next(parts) for _ in range(len(table))]
                tables.write(self._draft / path_of(EPISODES_PATH, own), self._table(table, rows, own))
                own = after([own], header.chunks_size)
        return merge_episodes(self._merged)

    def _episodes(self, numbers: Sequence[int]) -> Iterator[dict[str, Stats]]:
        """Measure the episodes of one table after the other, and write their sketches."""
        contents = self._dataset.contents
        for table, of_table in groupby(numbers, key=lambda number: int(contents.table[number])):
            place = sketches_file(self._root, contents.tables[table])
            sketches = read_sketches([place]) if len(self._wanted) < len(self._dataset.specs) else {}
            found: list[dict[str, Stats]] = []
            for number in of_table:
                stats = self._measured(self._dataset.episodes[number])
                sketches[number] = sketches.get(number, {}) | sketches_of(stats)
                self._keep(stats)
                found.append({key: replace(part, sketch=None) for key, part in stats.items()})
                self._tell(number + 1, len(numbers))
            write_sketches(self._draft / place.relative_to(self._root), sketches)
            yield from found

    def _measured(self, episode: Episode) -> dict[str, Stats]:
        found: dict[str, Stats] = {}
        for key in self._wanted:
            stats = measured(self._dataset, key, episode.start, episode.stop)
            found[key] = replace(stats, sketch=None) if key in DEFAULT_FEATURES else stats
        return found

    def _keep(self, stats: dict[str, Stats]) -> None:
        self._merged.append(stats)
        if len(self._merged) >= _MERGED_AT_ONCE:
            self._merged = [merge_episodes(self._merged)]

    def _table(self, table: pa.Table, rows: Sequence[Mapping[str, Stats]], own: Place) -> pa.Table:
        """Give rows of the episodes table with new statistics and a new place."""
        features = {key: self._dataset.header.features[key] for key in self._wanted}
        new = pa.concat_tables([episode_row({}, row, features, own) for row in rows])
        kept = [name for name in table.column_names if name not in new.column_names]
        columns = {name: table[name] for name in kept} | {name: new[name] for name in new.column_names}
        return pa.table(columns)
