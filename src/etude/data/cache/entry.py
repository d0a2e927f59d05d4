"""One episode's pictures of one camera at one size, in one file.

The file holds the pictures one after the other, and then one byte per picture: 1 when it is there. It is read through
a memory map and written by `pwrite`, never through the map: where the disk is full that is an error, not a signal.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

COMPLETE, PARTIAL = ".frames", ".part"
_RULES = 1
"""Counts the ways in which pictures have been decoded and resized; a new one makes new entries."""
_NAME = re.compile(r"([0-9a-f]{32})-(\d+)x(\d+)x(\d+)x(\d+)-(\w+)\.")


@dataclass(frozen=True)
class Content:
    """What an entry holds, wherever the pictures came from."""

    identity: str
    """Of the coded pictures, as a file name can hold it."""
    num_frames: int
    shape: tuple[int, int, int]
    """Of a picture: height, width, channels."""
    dtype: str

    @classmethod
    def of(cls, fingerprint: str, num_frames: int, shape: tuple[int, int, int], dtype: str) -> Content:
        """Describe the pictures of an episode whose dataset gives it this `fingerprint`."""
        identity = hashlib.blake2b(f"{_RULES} {fingerprint}".encode(), digest_size=16).hexdigest()
        return cls(identity, num_frames, shape, dtype)

    @classmethod
    def named(cls, name: str) -> Content | None:
        """Read a file's name; none when it is no entry's."""
        found = _NAME.match(name)
        if not found:
            return None
        frames, *shape = map(int, found.groups()[1:5])
        return cls(found[1], frames, (shape[0], shape[1], shape[2]), found[6])

    @cached_property
    def name(self) -> str:
        """The file's name, without what tells whether it is complete."""
        return f"{self.identity}-{'x'.join(map(str, (self.num_frames, *self.shape)))}-{self.dtype}"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one picture."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize

    @property
    def num_bytes(self) -> int:
        """Bytes of the file."""
        return self.num_frames * (self.frame_bytes + 1)


class WrongSize(OSError):
    """A file has not the size that its name says: it is damaged."""


class Entry:
    """An entry's file, open. Threads may share it; it is closed when nobody looks at it any more."""

    def __init__(self, path: Path, content: Content) -> None:
        """Open the file; raise `OSError` when it cannot be, `WrongSize` when it is damaged."""
        self.path, self.content = path, content
        self._is_complete = path.suffix == COMPLETE
        self._file = os.open(path, os.O_RDONLY if self._is_complete else os.O_RDWR)
        try:
            if os.fstat(self._file).st_size != content.num_bytes:
                raise WrongSize(f"{path} has not {content.num_bytes} bytes")
            self._map = mmap.mmap(self._file, content.num_bytes, access=mmap.ACCESS_READ)
        except OSError:
            os.close(self._file)
            self._file = -1
            raise
        self._flags_at = count = content.num_bytes - content.num_frames
        self.pictures = np.frombuffer(self._map, np.uint8, count).view(content.dtype).reshape(-1, *content.shape)
        self._flags = np.frombuffer(self._map, np.uint8, offset=count)

    def has(self, ticks: np.ndarray) -> np.ndarray:
        """Tell which of these pictures are there."""
        return self._flags[ticks] == 1

    def has_one(self, tick: int) -> bool:
        """Tell whether one picture is there."""
        return self._map[self._flags_at + tick] == 1

    @property
    def is_full(self) -> bool:
        """Whether all pictures are there."""
        return bool(self._flags.all())

    @property
    def num_filled(self) -> int:
        """Pictures that are there."""
        return int(np.count_nonzero(self._flags))

    def write(self, ticks: np.ndarray, pictures: np.ndarray) -> None:
        """Store those pictures of the episode's `ticks` that are not there yet; raise `OSError` when that fails."""
        size, flags = self.content.frame_bytes, self._flags_at
        for tick, picture in zip(ticks.tolist(), pictures, strict=True):
            if self._flags[tick] != 1:
                _write_all(self._file, np.ascontiguousarray(picture).data.cast("B"), tick * size)
                _write_all(self._file, memoryview(b"\1"), flags + tick)

    def sync(self) -> None:
        """Bring the file to the disk itself."""
        os.fsync(self._file)

    def is_at(self, path: Path) -> bool:
        """Tell whether the open file is the one at `path`, and not deleted or replaced since."""
        try:
            return os.path.samestat(path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)


def _write_all(file: int, data: memoryview, place: int) -> None:
    while data:
        written = os.pwrite(file, data, place)
        data, place = data[written:], place + written
