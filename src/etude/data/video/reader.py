"""Pictures out of video files, by number."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from etude.core.errors import DatasetError
from etude.data.video.packets import reading
from etude.data.video.scale import DEPTH_FORMAT, Scaler, resized

_NOWHERE = 1 << 62
"""The position of a decoder that must seek before it reads."""
_SAMPLED, _SAMPLE_BYTES = 8, 4096
"""Packets of a clip, and bytes of each, that identify it beside the sizes of all."""
_GROUPS_BACK = 2
"""Key pictures farther back from which a picture is decoded when the nearest does not lead to it."""
_SHORT_GROUP = 32
"""Pictures from one key frame to the next that are decoded together: the key frame is most of the work."""


class VideoReader:
    """A video kept open, whose pictures are read by number.

    A picture's number is its time since the first picture times the frame rate, so a file whose clock starts late
    reads the same. Raises `DatasetError` when the file is missing or damaged. Threads take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with reading(path):
            self._container = av.open(str(path))
            if not self._container.streams.video:
                raise DatasetError(path, "holds no video stream; it is truncated or damaged. Copy it again.")
            self._stream = self._container.streams.video[0]
            self._measure()
        self._next, self._scaler = _NOWHERE, Scaler()

    def _measure(self) -> None:
        # One thread: a frame-threaded decoder must be filled and drained at every seek.
        self._stream.thread_type = "SLICE"
        self._stream.codec_context.thread_count = 1
        rate, base = self._stream.average_rate, self._stream.time_base
        if not rate or not base:
            raise DatasetError(self.path, "tells no frame rate; it is truncated or damaged. Copy it again.")
        self.num_frames = len(self._stream.index_entries)
        self._interval = 1 / (Fraction(rate) * Fraction(base))
        self._first = self._stream.start_time or 0
        keys = [self._number(entry.timestamp) for entry in self._stream.index_entries if entry.is_keyframe]
        self._keys = np.array(keys or [0])

    def frames(self, numbers: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode the pictures of these numbers, in their order: uint8 (picture, height, width, 3), RGB.

        The codes of depth pictures come as uint16 (picture, height, width, 1).
        `size` (height, width) shrinks each as it is decoded. Whatever the order, the file is read forwards.
        """
        wanted, back = np.unique(numbers, return_inverse=True)
        pictures = self.empty(len(wanted), size)
        self.decode(wanted, pictures)
        return pictures if np.array_equal(wanted, numbers) else pictures[back]

    def empty(self, count: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Make room for `count` pictures."""
        channels, dtype = (1, np.uint16) if self._stream.format.name == DEPTH_FORMAT else (3, np.uint8)
        return np.empty((count, *(size or (self._stream.height, self._stream.width)), channels), dtype)

    def decode(self, numbers: np.ndarray, pictures: np.ndarray) -> None:
        """Decode the pictures of these ascending numbers into `pictures`, at its size."""
        with self._lock, reading(self.path):
            for number, picture in zip(numbers.tolist(), pictures, strict=True):
                self._scaler.write(self._decode(number), picture)

    def around(self, numbers: np.ndarray) -> np.ndarray:
        """Give `numbers`, ascending, and those of the pictures that are decoded on the way to them.

        Short groups of pictures come whole, since what follows costs little once the key frame is decoded.
        """
        if not len(numbers) or numbers.max() >= self.num_frames:
            return np.unique(numbers)
        group = np.maximum(np.searchsorted(self._keys, numbers, "right") - 1, 0)
        first, end = self._keys[group], np.append(self._keys[1:], self.num_frames)[group]
        change = np.zeros(self.num_frames + 1, np.int64)
        np.add.at(change, np.minimum(first, numbers), 1)
        np.add.at(change, np.where(end - first <= _SHORT_GROUP, end, numbers + 1), -1)
        return np.flatnonzero(np.cumsum(change))

    def fingerprint(self, start: int, length: int) -> str:
        """Identify the coded pictures from number `start` on, by the sizes of their packets and some of their bytes."""
        entries = self._stream.index_entries
        chosen = [entries[number] for number in range(start, min(start + length, self.num_frames))]
        digest = hashlib.blake2b(np.array([entry.size for entry in chosen], np.int64).tobytes(), digest_size=16)
        with reading(self.path), self.path.open("rb") as file:
            for entry in chosen[:: max(1, len(chosen) // _SAMPLED)]:
                file.seek(entry.pos)
                digest.update(file.read(min(entry.size, _SAMPLE_BYTES)))
        return digest.hexdigest()

    def _decode(self, number: int) -> av.VideoFrame:
        position, self._next = self._next, _NOWHERE
        group = max(np.searchsorted(self._keys, number, "right") - 1, 0)
        if not self._keys[group] <= position <= number:
            self._seek(number)
        # A picture shown before a key picture may be coded after it, and then needs the group before as well.
        for earlier in (None, *self._keys[:group][::-1][:_GROUPS_BACK].tolist()):
            if earlier is not None:
                self._seek(earlier)
            if frame := self._reached(number):
                self._next = number + 1
                return frame
        raise DatasetError(
            self.path, f"holds no frame {number} of {self.num_frames}; it is truncated or damaged. Copy it again."
        )

    def _seek(self, number: int) -> None:
        self._container.seek(self._first + round(number * self._interval), stream=self._stream)
        self._frames = self._container.decode(self._stream)

    def _reached(self, number: int) -> av.VideoFrame | None:
        """Decode up to a picture; give none when what follows is beyond it."""
        frame = next((frame for frame in self._frames if self._number(frame.pts) >= number), None)
        return frame if frame and self._number(frame.pts) == number else None

    def _number(self, pts: int | None) -> int:
        return round(((pts or 0) - self._first) / self._interval)


class OpenVideos:
    """Videos kept open, the least recently used closed when there are more than `capacity`; safe to share."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity, self._lock = capacity, threading.Lock()
        self._idle: OrderedDict[VideoReader, None] = OrderedDict()
        self._of: dict[Path, list[VideoReader]] = {}

    def __getitem__(self, path: Path) -> VideoReader:
        """Give a reader of `path`, opening it when needed; who shares it takes turns."""
        with self.borrow(path) as reader:
            return reader

    @contextmanager
    def borrow(self, path: Path) -> Iterator[VideoReader]:
        """Lend a reader of `path` that nobody else has borrowed, so that threads decode one file side by side."""
        reader = self._taken(path) or VideoReader(path)
        try:
            yield reader
        finally:
            self._give_back(reader)

    def _taken(self, path: Path) -> VideoReader | None:
        with self._lock:
            readers = self._of.get(path)
            if not readers:
                return None
            reader = readers.pop()
            del self._idle[reader]
            return reader

    def _give_back(self, reader: VideoReader) -> None:
        with self._lock:
            self._idle[reader] = None
            self._of.setdefault(reader.path, []).append(reader)
            while len(self._idle) > self._capacity:
                oldest, _ = self._idle.popitem(last=False)
                self._of[oldest.path].remove(oldest)
                if not self._of[oldest.path]:
                    del self._of[oldest.path]


def resize(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize pictures (picture, height, width, channels) by averaging areas, as decoding at a `size` does."""
    return np.stack([resized(picture, height, width) for picture in pictures])
