"""Reading a LeRobot dataset, once its format has said which files hold what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError, NotFound
from etude.data.dataset import Dataset, Problem
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Contents
from etude.data.lerobot.files_check import file_problems
from etude.data.lerobot.header import DEFAULT_FEATURES, Header
from etude.data.lerobot.pictures import FilmedPictures, PackedPictures, Pictures
from etude.data.lerobot.timing import read_timing
from etude.data.video import OpenVideos


class LeRobotDataset(Dataset):
    """A dataset of any LeRobot version; tables are read whole at first use, pictures when asked for."""

    def __init__(self, root: Path, kind: str, header: Header, contents: Contents) -> None:
        self.root, self.format, self.header, self.contents = root, kind, header, contents
        self.fps, self.robot_type = header.fps, header.robot_type
        self.specs = header.specs()
        self.episodes, self.tasks, self.stats = contents.episodes, contents.tasks, contents.stats
        self._videos = OpenVideos()
        self._cameras: dict[str, Pictures] = {}

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
        wanted, back = np.unique(np.asarray(rows, np.int64), return_inverse=True)
        decoded, pictures = self.decode(key, wanted, size or self._size(key))
        chosen = np.searchsorted(decoded, wanted)[back]
        return pictures if np.array_equal(chosen, np.arange(len(pictures))) else pictures[chosen]

    def decode(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Decode pictures of `key` at `rows`, and give those too that had to be decoded on the way."""
        return self._camera(key).decode(np.unique(np.asarray(rows, np.int64)), size)

    def fingerprint(self, key: str, number: int) -> str:
        """Identify what is in the pictures of `key` in the episode at position `number`, wherever they are stored."""
        return self._camera(key).fingerprint(number)

    def timing(self) -> dict[str, np.ndarray]:
        """Give what was noted of each frame's real time."""
        return read_timing(self.root, self.contents.tables, self.episodes.start)

    def check_files(self) -> Iterator[Problem]:
        """Compare the files with the header: counters, and frames against rows in every video."""
        return file_problems(self.header, self.contents, self._videos)

    def _size(self, key: str) -> tuple[int, int]:
        self._camera(key)
        height, width, _ = self.specs[key].shape
        return height, width

    def _camera(self, key: str) -> Pictures:
        if key not in self.specs or not self.specs[key].is_image:
            raise NotFound("camera", key, self.codecs)
        if key not in self._cameras:
            self._cameras[key] = self._opened(key)
        return self._cameras[key]

    def _opened(self, key: str) -> Pictures:
        if key in self.contents.clips:
            return FilmedPictures(self.contents.clips[key], self.episodes, self._videos)
        return PackedPictures(key, self.contents.tables, self.episodes)

    @cached_property
    def _columns(self) -> dict[str, np.ndarray]:
        names = self.header.columns()
        parts = [tables.read(path, names) for path in self.contents.tables]
        columns = {name: self._joined(name, parts) for name in names}
        rows, wanted = len(columns["index"]), self.episodes.num_frames
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
