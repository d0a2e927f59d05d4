"""Reading a LeRobot dataset, once its format has said which files hold what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError, NotFound
from etude.data.dataset import Problem
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Contents
from etude.data.lerobot.files_check import file_problems
from etude.data.lerobot.header import DEFAULT_FEATURES, Header
from etude.data.video import OpenVideos, resize

_DECODERS = 2
"""Files decoded at the same time."""


class LeRobotDataset:
    """A dataset of any LeRobot version; tables are read whole at first use, pictures when asked for."""

    def __init__(self, root: Path, kind: str, header: Header, contents: Contents) -> None:
        self.root, self.format, self.header, self.contents = root, kind, header, contents
        self.fps, self.robot_type = header.fps, header.robot_type
        self.specs = header.specs()
        self.episodes, self.tasks, self.stats = contents.episodes, contents.tasks, contents.stats
        self._videos = OpenVideos()
        self._packed: dict[str, pa.ChunkedArray] = {}

    @property
    def codecs(self) -> dict[str, str]:
        """How each camera's pictures are compressed, such as `av1`."""
        cameras = (key for key, spec in self.specs.items() if spec.is_image)
        return {key: headers.codec_of(self.header.features[key]) for key in cameras}

    def column(self, key: str) -> np.ndarray:
        """Give one table column over all frames, read-only: (frames, n), or (frames,) for the default columns."""
        if key not in self._columns:
            raise NotFound("table column", key, self._columns)
        return self._columns[key]

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`, uint8 (row, height, width, 3); `size` is (height, width) wanted."""
        rows = np.asarray(rows, np.int64)
        spec = self.specs.get(key)
        if spec is None or not spec.is_image:
            raise NotFound("camera", key, self.codecs)
        height, width = size or (spec.shape[0], spec.shape[1])
        if key not in self.contents.clips:
            return self._unpacked(key, rows, (height, width))
        return self._decoded(key, rows, (height, width))

    def check_files(self) -> Iterator[Problem]:
        """Compare the files with the header: counters, and frames against rows in every video."""
        return file_problems(self.header, self.contents, self._videos)

    def _decoded(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        episode = np.searchsorted(self._starts, rows, "right") - 1
        clips = self.contents.clips[key]
        first = np.array([clips[index].start for index in episode], np.int64)
        number = first + rows - self._starts[episode]
        paths = np.array([str(clips[index].path) for index in episode])
        pictures = np.empty((len(rows), *size, 3), np.uint8)

        def decode(path: str) -> None:
            here = np.flatnonzero(paths == path)
            pictures[here] = self._videos[Path(path)].frames(number[here], size)

        self._on_each(decode, np.unique(paths))
        return pictures

    def _on_each(self, work: Callable[[str], None], paths: np.ndarray) -> None:
        if len(paths) > 1:
            list(self._pool.map(work, paths.tolist()))
        else:
            for path in paths.tolist():
                work(path)

    def _unpacked(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        if key not in self._packed:
            self._packed[key] = pa.concat_tables([tables.read(path, [key]) for path in self.contents.tables])[key]
        pictures = [self._unpack(key, row, self._packed[key][row].as_py()["bytes"]) for row in rows.tolist()]
        return resize(np.stack(pictures), *size) if pictures else np.empty((0, *size, 3), np.uint8)

    def _unpack(self, key: str, row: int, data: bytes) -> np.ndarray:
        picture = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise DatasetError(self.root, f"the picture of '{key}' in row {row} is damaged. Copy the dataset again.")
        return picture

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode")

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.array([episode.start for episode in self.episodes], np.int64)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        names = self.header.columns()
        parts = [tables.read(path, names) for path in self.contents.tables]
        columns = {name: self._joined(name, parts) for name in names}
        rows, wanted = len(columns["index"]), sum(map(len, self.episodes))
        if rows != wanted:
            where = self.contents.tables[0].parent if parts else self.root
            raise DatasetError(where, f"the tables hold {rows} rows, the episodes {wanted}. Copy the dataset again.")
        return columns

    def _joined(self, name: str, parts: Sequence[pa.Table]) -> np.ndarray:
        feature = self.header.features[name]
        shape = () if name in DEFAULT_FEATURES else tuple(feature["shape"])
        empty = np.empty((0, *shape), feature["dtype"])
        joined = np.concatenate([empty, *(tables.to_numpy(part[name], shape) for part in parts)])
        joined.flags.writeable = False
        return joined
