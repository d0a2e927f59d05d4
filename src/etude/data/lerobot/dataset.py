"""Reading a LeRobot dataset, once its format has said which files hold what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import NotFound
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.dataset import Dataset, Problem
from etude.data.depth import DepthCoding
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.cells import Cells
from etude.data.lerobot.columns import Columns
from etude.data.lerobot.contents import Contents
from etude.data.lerobot.files_check import file_problems
from etude.data.lerobot.header import DEFAULT_FEATURES, Header
from etude.data.lerobot.pictures import FilmedDepth, FilmedPictures, PackedPictures, Pictures
from etude.data.lerobot.timing import read_timing
from etude.data.statistics import CompleteStats
from etude.data.video import OpenVideos

SUBTASK_INDEX, SUBTASKS_FILE = "subtask_index", Path("meta/subtasks.parquet")
"""How LeRobot 0.4 and 0.5 numbered the parts of a task; 0.6 writes a language column instead."""

PACKED_BYTES = 2 << 30
"""PNG files of one camera that stay in memory, where they lie in tables."""


class LeRobotDataset(Dataset):
    """A dataset of any LeRobot version; tables and pictures are read when they are asked for."""

    def __init__(self, root: Path, kind: str, header: Header, contents: Contents) -> None:
        self.root, self.format, self.header, self.contents = root, kind, header, contents
        self.fps, self.robot_type = header.fps, header.robot_type
        self.specs = header.specs()
        self.episodes = contents.episodes
        self._videos = OpenVideos()
        self._cameras: dict[str, Pictures] = {}
        self._cells: dict[str, Cells] = {}

    @property
    def tasks(self) -> Sequence[str]:
        """Task texts by `task_index`."""
        return self.contents.tasks

    @cached_property
    def stats(self) -> Mapping[str, Stats]:
        """Statistics per key: what is stored, and what is not measured when it is asked for."""
        return CompleteStats(self, lambda: self.contents.stats)

    @property
    def codecs(self) -> dict[str, str]:
        """How each camera's pictures are compressed, such as `av1`."""
        cameras = (key for key, spec in self.specs.items() if spec.is_image or spec.is_depth)
        return {key: headers.codec_of(self.header.features[key]) for key in cameras}

    def column(self, key: str) -> np.ndarray:
        """Give one table column over all frames, read-only: (frames, n), or (frames,) for the default columns."""
        return self._numeric(key).whole(key)

    def take(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Give one table column at `rows`, of any shape, reading only the tables they lie in."""
        return self._numeric(key).take(key, np.asarray(rows, np.int64))

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`, uint8 (row, height, width, 3); `size` is (height, width) wanted."""
        wanted, back = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        pictures = self._camera(key).read(wanted, size or self._size(key))
        return pictures if np.array_equal(back, np.arange(len(pictures))) else pictures[back]

    def decode(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Decode pictures of `key` at `rows`, and give those too that had to be decoded on the way."""
        return self._camera(key).decode(np.unique(np.asarray(rows, np.int64)), size)

    def fingerprint(self, key: str, number: int) -> str:
        """Identify what is in the pictures of `key` in the episode at position `number`, wherever they are stored."""
        return self._camera(key).fingerprint(number)

    @property
    def text_keys(self) -> Sequence[str]:
        """Columns of text that are stored: strings, and language columns (lists of messages)."""
        return self.header.texts()

    def text(self, key: str, rows: np.ndarray) -> list[Any]:
        """Give a text column at `rows`: a string each, or a list of dicts each for a language column.

        `task` is each row's task, and `subtask` its subtask where an older dataset numbers them.
        """
        rows = np.asarray(rows, np.int64)
        named = {"task": self.contents.tasks} if "task" not in self.text_keys else {}
        if SUBTASK_INDEX in self.header.features and "subtask" not in self.text_keys:
            named["subtask"] = self._subtasks
        if key in named:
            return [named[key][number] for number in self.take(f"{key}_index", rows).reshape(-1).tolist()]
        if key not in self.text_keys:
            raise NotFound("text column", key, [*self.text_keys, *named])
        if key not in self._cells:
            self._cells[key] = Cells(key, self.contents.tables, self.contents.table_starts)
        return self._cells[key].at(rows)

    def timing(self) -> dict[str, np.ndarray]:
        """Give what was noted of each frame's real time."""
        return read_timing(self.root, self.contents.tables, self.episodes.start)

    def file_groups(self) -> np.ndarray:
        """Number the files, table and videos, that each episode lies in."""
        files = np.stack([self.contents.table, *(clips.file for clips in self.contents.clips.values())])
        return np.unique(files, axis=1, return_inverse=True)[1].reshape(-1)

    def check_files(self) -> Iterator[Problem]:
        """Compare the files with the header and with one another."""
        return file_problems(self.root, self.format, self.header, self.contents)

    def _numeric(self, key: str) -> Columns:
        if key not in self._columns.specs:
            raise NotFound("table column", key, self._columns.specs)
        return self._columns

    def _size(self, key: str) -> tuple[int, int]:
        self._camera(key)
        height, width, _ = self.specs[key].shape
        return height, width

    def _camera(self, key: str) -> Pictures:
        if key not in self.codecs:
            raise NotFound("camera", key, self.codecs)
        if key not in self._cameras:
            self._cameras[key] = self._opened(key)
        return self._cameras[key]

    def _opened(self, key: str) -> Pictures:
        if self.specs[key].is_depth:
            coding = DepthCoding.from_info(self.header.features[key].get("info") or {})
            return FilmedDepth(self.contents.clips[key], self.episodes, self._videos, coding)
        if key in self.contents.clips:
            return FilmedPictures(self.contents.clips[key], self.episodes, self._videos)
        cells = Cells(key, self.contents.tables, self.contents.table_starts, kept_bytes=PACKED_BYTES)
        return PackedPictures(key, cells, self.episodes)

    @cached_property
    def _subtasks(self) -> Sequence[str]:
        return tables.read_names(self.root / SUBTASKS_FILE, SUBTASK_INDEX)

    @cached_property
    def _columns(self) -> Columns:
        types = {key: self.header.features[key]["dtype"] for key in self.header.columns()}
        own = {key: Spec(shape=(), dtype=dtype) for key, dtype in types.items() if key in DEFAULT_FEATURES}
        specs = {key: own.get(key) or self.specs[key] for key in types}
        return Columns(specs, self.contents.tables, self.contents.table_starts, self.contents.identity)
