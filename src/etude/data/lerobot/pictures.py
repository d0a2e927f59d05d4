"""The pictures of a LeRobot dataset: out of video files, or out of PNG files inside the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.data.episodes import Episodes
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Clips
from etude.data.video import OpenVideos, resize

_DECODERS = 2
"""Files decoded at the same time."""


class Pictures(Protocol):
    """One camera's pictures, by row."""

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give at least the ascending `rows`, and their pictures (row, *size, 3)."""
        ...

    def fingerprint(self, number: int) -> str:
        """Identify what the pictures of the episode at a position hold."""
        ...


class FilmedPictures:
    """Pictures in video files, some episodes to a file."""

    def __init__(self, clips: Clips, episodes: Episodes, videos: OpenVideos) -> None:
        self._clips, self._episodes, self._videos = clips, episodes, videos

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the pictures, decoding each file forwards, and files side by side."""
        episode = self._episodes.of(rows)
        number = self._clips.start[episode] + rows - self._episodes.start[episode]
        file = self._clips.file[episode]
        pictures = np.empty((len(rows), *size, 3), np.uint8)

        def decode(index: int) -> None:
            here = np.flatnonzero(file == index)
            pictures[here] = self._videos[self._clips.paths[index]].frames(number[here], size)

        self._on_each(decode, np.unique(file).tolist())
        return rows, pictures

    def fingerprint(self, number: int) -> str:
        """Identify the clip by its packets, so that it is the same clip in whatever file it is."""
        clip = self._clips[number]
        return self._videos[clip.path].fingerprint(clip.start, clip.length)

    def _on_each(self, work: Callable[[int], None], files: list[int]) -> None:
        if len(files) > 1:
            list(self._pool.map(work, files))
        else:
            for file in files:
                work(file)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode")


class PackedPictures:
    """Pictures as PNG files in a table column."""

    def __init__(self, key: str, files: Sequence[Path], episodes: Episodes) -> None:
        self._key, self._files, self._episodes = key, files, episodes

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the pictures."""
        pictures = [self._unpacked(row) for row in rows.tolist()]
        return rows, resize(np.stack(pictures), *size) if pictures else np.empty((0, *size, 3), np.uint8)

    def fingerprint(self, number: int) -> str:
        """Identify the episode's PNG files by what is in them."""
        episode, digest = self._episodes[number], hashlib.blake2b(digest_size=16)
        for row in range(episode.start, episode.stop):
            digest.update(self._column[row].as_py()["bytes"] or b"")
        return digest.hexdigest()

    def _unpacked(self, row: int) -> np.ndarray:
        data = self._column[row].as_py()["bytes"]
        picture = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            what = f"the picture of '{self._key}' in row {row} is damaged. Copy the dataset again."
            raise DatasetError(self._files[0].parent, what)
        return picture

    @cached_property
    def _column(self) -> pa.ChunkedArray:
        return pa.concat_tables([tables.read(path, [self._key]) for path in self._files])[self._key]
