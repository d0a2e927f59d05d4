"""The pictures of a LeRobot dataset: out of video files, or out of PNG files inside the tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from etude.core.errors import DatasetError
from etude.data.depth import DepthCoding
from etude.data.episodes import Episodes
from etude.data.lerobot.cells import Cells
from etude.data.lerobot.contents import Clips
from etude.data.video import OpenVideos
from etude.data.video.scale import resized
from etude.data.video.threads import on_each

_PIECE = 16
"""Pictures that a thread decodes at a time."""


class Pictures(Protocol):
    """One camera's pictures, by row; threads may share it."""

    def read(self, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Give the pictures of the ascending `rows`, shaped (row, *size, channels)."""
        ...

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the ascending `rows` and those decoded on the way to them, and the pictures of all."""
        ...

    def fingerprint(self, number: int) -> str:
        """Identify what the pictures of the episode at a position hold."""
        ...


class FilmedPictures:
    """Pictures in video files, some episodes to a file."""

    channels, dtype = 3, np.dtype(np.uint8)

    def __init__(self, clips: Clips, episodes: Episodes, videos: OpenVideos) -> None:
        self._clips, self._episodes, self._videos = clips, episodes, videos

    def read(self, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Give the pictures, each file read forwards, several pieces side by side."""
        return self._decoded([(number, rows[here]) for number, here in self._by_episode(rows)], size)

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the pictures and those decoded on the way to them."""
        asked, around = dict(self._by_episode(rows)), dict[int, np.ndarray]()

        def extend(number: int) -> None:
            around[number] = self._around(number, rows[asked[number]])

        on_each(extend, list(asked))
        parts = [(number, around[number]) for number in asked]
        return np.concatenate([rows[:0], *(part for _, part in parts)]), self._decoded(parts, size)

    def fingerprint(self, number: int) -> str:
        """Identify the clip by its packets, so that it is the same clip in whatever file it is."""
        clip = self._clips[number]
        with self._videos.borrow(clip.path) as video:
            return video.fingerprint(clip.start, clip.length)

    def _by_episode(self, rows: np.ndarray) -> Iterator[tuple[int, slice]]:
        """Yield the positions of the episodes that ascending `rows` lie in, and which of `rows` do."""
        numbers, starts = np.unique(self._episodes.of(rows), return_index=True)
        stops = [*starts[1:].tolist(), len(rows)][: len(starts)]
        return ((number, slice(*span)) for number, *span in zip(numbers.tolist(), starts.tolist(), stops, strict=True))

    def _around(self, number: int, rows: np.ndarray) -> np.ndarray:
        """Give `rows` of one episode and those of its rows that are decoded on the way to them."""
        clip, first = self._clips[number], int(self._episodes.start[number])
        with self._videos.borrow(clip.path) as video:
            around = video.around(rows - first + clip.start)
        return around[(around >= clip.start) & (around < clip.start + clip.length)] - clip.start + first

    def _decoded(self, parts: Sequence[tuple[int, np.ndarray]], size: tuple[int, int]) -> np.ndarray:
        pictures = np.empty((sum(len(rows) for _, rows in parts), *size, self.channels), self.dtype)

        def decode(piece: tuple[Path, np.ndarray, int]) -> None:
            path, numbers, place = piece
            with self._videos.borrow(path) as video:
                video.decode(numbers, pictures[place : place + len(numbers)])

        on_each(decode, list(self._pieces(parts)))
        return pictures

    def _pieces(self, parts: Sequence[tuple[int, np.ndarray]]) -> Iterator[tuple[Path, np.ndarray, int]]:
        """Yield files, numbers of pictures in them, and where the first of those goes."""
        place = 0
        for number, rows in parts:
            clip, first = self._clips[number], int(self._episodes.start[number])
            for begin in range(0, len(rows), _PIECE):
                piece = rows[begin : begin + _PIECE]
                yield clip.path, piece - first + clip.start, place
                place += len(piece)


class FilmedDepth(FilmedPictures):
    """Distances in video files [mm], which hold 12-bit codes."""

    channels, dtype = 1, np.dtype(np.uint16)

    def __init__(self, clips: Clips, episodes: Episodes, videos: OpenVideos, coding: DepthCoding) -> None:
        super().__init__(clips, episodes, videos)
        self._coding = coding

    def _decoded(self, parts: Sequence[tuple[int, np.ndarray]], size: tuple[int, int]) -> np.ndarray:
        return self._coding.dequantised(super()._decoded(parts, size))


class PackedPictures:
    """Pictures as PNG files in a table column."""

    def __init__(self, key: str, cells: Cells, episodes: Episodes) -> None:
        self._key, self._cells, self._episodes = key, cells, episodes

    def read(self, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Give the pictures, several unpacked side by side."""
        pictures = np.empty((len(rows), *size, 3), np.uint8)

        def unpack(place: int) -> None:
            pictures[place] = resized(self._unpacked(int(rows[place])), *size)

        on_each(unpack, range(len(rows)))
        return pictures

    def decode(self, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Give the pictures; none is unpacked on the way to another."""
        return rows, self.read(rows, size)

    def fingerprint(self, number: int) -> str:
        """Identify the episode's PNG files by what is in them."""
        episode, digest = self._episodes[number], hashlib.blake2b(digest_size=16)
        for cell in self._cells.at(np.arange(episode.start, episode.stop)):
            digest.update(cell["bytes"] or b"")
        return digest.hexdigest()

    def _unpacked(self, row: int) -> np.ndarray:
        data = self._cells.at(np.array([row]))[0]["bytes"]
        picture = cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            what = f"the picture of '{self._key}' in row {row} is damaged. Copy the dataset again."
            raise DatasetError(self._cells.file_of(row), what)
        return picture
