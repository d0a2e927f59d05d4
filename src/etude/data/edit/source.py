"""A LeRobot v3.0 dataset as an edit sees it: files, and which rows and pictures of them each episode is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError, UserError
from etude.data.formats.lerobot_v3.layout import EPISODES_FOLDER, Place, path_of
from etude.data.formats.lerobot_v3.metadata import read_tasks
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.opening import open_dataset
from etude.data.versions import resting_place

_MB = 1 << 20
_LIMITS = {"data": 100, "video": 200}
_MOST_TABLES = 2
"""Tables kept in memory: one of rows, and what was noted of their real times."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """Where each episode's rows, or pictures of one camera, are: arrays, one item per episode."""

    chunk: np.ndarray
    file: np.ndarray
    start: np.ndarray
    """The first row or picture, counted from the start of the file."""
    length: np.ndarray

    def place(self, episode: int) -> Place:
        """Give the file of an episode."""
        return int(self.chunk[episode]), int(self.file[episode])

    @cached_property
    def episodes_of(self) -> dict[Place, list[int]]:
        """The episodes in each file, in order."""
        found: dict[Place, list[int]] = {}
        for episode in range(len(self.file)):
            found.setdefault(self.place(episode), []).append(episode)
        return found


class Source:
    """A dataset that is read to make another version of it, or another dataset, from it."""

    def __init__(self, root: Path) -> None:
        """Read everything but rows and pictures; raise `UserError` unless `root` is a LeRobot v3.0 dataset."""
        self.root = resting_place(root)
        _require_v3(self.root)
        self.header = headers.read(self.root)
        self.info: dict[str, Any] = json.loads((self.root / headers.FILE).read_text(encoding="utf-8"))
        self.features: Mapping[str, Mapping[str, Any]] = self.header.features
        self.fps = self.header.fps
        self.tasks = read_tasks(self.root)[: self.header.total_tasks]
        self.rows = _episode_rows(self.root, self.header.total_episodes)
        self.length = self._numbers("length")
        self.first_row = self._numbers("dataset_from_index")
        self._tables: dict[Path, pa.Table] = {}

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def texts(self) -> list[list[str]]:
        """The task texts of each episode."""
        return self.rows["tasks"].to_pylist()

    @cached_property
    def data(self) -> Located:
        """Where the rows are."""
        chunk, file = self._numbers("data/chunk_index"), self._numbers("data/file_index")
        located = Located(chunk=chunk, file=file, start=np.zeros_like(file), length=self.length)
        for episodes in located.episodes_of.values():
            located.start[episodes] = self.first_row[episodes] - self.first_row[episodes].min()
        return located

    @cached_property
    def clips(self) -> dict[str, Located]:
        """Where the pictures of each camera are."""
        return {key: self._clips(key) for key in self.header.video_keys()}

    def data_path(self, place: Place) -> Path:
        """Give the path of a table."""
        return self.root / path_of(self.header.data_path, place)

    def video_path(self, key: str, place: Place) -> Path:
        """Give the path of a video."""
        return self.root / path_of(self.header.video_path or "", place, key)

    def table(self, path: Path) -> pa.Table:
        """Read a table whole, and keep it for a while: the next episode is probably in it too."""
        if path not in self._tables:
            self._tables = dict(list(self._tables.items())[1 - _MOST_TABLES :]) | {path: tables.read(path)}
        return self._tables[path]

    def limit(self, kind: str) -> int:
        """Give the most bytes of one `data` or `video` file; LeRobot's own limits where the dataset states none."""
        return round((self.header.sizes_in_mb.get(kind) or _LIMITS[kind]) * _MB)

    def _clips(self, key: str) -> Located:
        if self.header.video_path is None:
            raise DatasetError(self.root / headers.FILE, f"declares the video '{key}' and no video_path.")
        begin, end = (self._numbers(f"videos/{key}/{name}") * self.fps for name in ("from_timestamp", "to_timestamp"))
        return Located(
            chunk=self._numbers(f"videos/{key}/chunk_index"),
            file=self._numbers(f"videos/{key}/file_index"),
            start=np.round(begin).astype(np.int64),
            length=np.round(end - begin).astype(np.int64),
        )

    def _numbers(self, column: str) -> np.ndarray:
        if not len(self):
            return np.zeros(0, np.int64)
        if column not in self.rows.column_names:
            raise DatasetError(self.root / EPISODES_FOLDER, f"lacks the column {column}. Copy the folder again.")
        return self.rows[column].to_numpy()


def _require_v3(root: Path) -> None:
    version = headers.version_of(root)
    if (version or "").startswith("v3."):
        return
    kind = f"a LeRobot {version} dataset" if version else f"a dataset of format {open_dataset(root).format}"
    raise UserError(f"{root} is {kind}; only LeRobot v3.0 can be edited. Convert it first: etude dataset convert.")


def _episode_rows(root: Path, count: int) -> pa.Table:
    """Read the committed rows of the episodes table with all their columns."""
    parts = [tables.read(path) for path in episodes_files(root)]
    if not parts or not count:
        return parts[0][:0] if parts else pa.table({})
    table = pa.concat_tables(parts, promote_options="permissive")
    if (np.diff(table["episode_index"].to_numpy()) < 0).any():
        table = table.sort_by("episode_index")
    table = table[:count].combine_chunks()
    if not np.array_equal(table["episode_index"].to_numpy(), np.arange(count)):
        what = f"should list {count} episodes from 0 on. See: etude dataset check {root}"
        raise DatasetError(root / EPISODES_FOLDER, what)
    return table
