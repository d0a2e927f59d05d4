"""Video files: pictures in, one after the other; pictures out, by number."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from etude.core.errors import DatasetError

_NOWHERE = 1 << 62
"""The position of a decoder that must seek before it reads."""


class VideoWriter:
    """Encodes RGB pictures into a file as they come; the first decides the size.

    Codec names are LeRobot's: `libsvtav1`, `h264`, `hevc`. A key frame every `g` pictures lets a reader start there;
    `preset` (0 slow to 13 fast) speaks to SVT-AV1 alone. Raises `DatasetError` when the file cannot be written.
    """

    def __init__(
        self, path: Path, fps: int, *, vcodec: str = "libsvtav1", crf: int = 30, g: int = 2, preset: int = 12
    ) -> None:
        self.path, self._fps, self._vcodec = path, fps, vcodec
        self._options = {"g": str(g), "crf": str(crf)}
        if vcodec == "libsvtav1":
            self._options |= {"preset": str(preset), "svtav1-params": "fast-decode=0"}
        self._container: OutputContainer | None = None

    def add(self, picture: np.ndarray) -> None:
        """Append a picture, uint8 (height, width, 3)."""
        with _written(self.path):
            if self._container is None:
                self._open(*picture.shape[:2])
            self._mux(av.VideoFrame.from_ndarray(picture, format="rgb24"))

    def close(self) -> None:
        """Finish the file; without a picture there is none."""
        if self._container is None:
            return
        container = self._container
        try:
            with _written(self.path):
                self._mux(None)
        finally:
            self._container = None
            with _written(self.path):
                container.close()

    def _open(self, height: int, width: int) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # errors only; SVT-AV1 otherwise greets every file on stderr
        container = av.open(str(self.path), "w", options={"movflags": "faststart"})
        self._container = container
        self._stream = cast("VideoStream", container.add_stream(self._vcodec, rate=self._fps, options=self._options))
        self._stream.height, self._stream.width, self._stream.pix_fmt = height, width, "yuv420p"

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._container is not None
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


class VideoReader:
    """A video kept open, whose pictures are read by number.

    A picture's number is its time since the first picture times the frame rate, so a file whose clock starts late
    reads the same. Raises `DatasetError` when the file is missing or damaged. Threads take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with _read(path):
            self._container = av.open(str(path))
            if not self._container.streams.video:
                raise DatasetError(path, "holds no video stream; it is truncated or damaged. Copy it again.")
            self._stream = self._container.streams.video[0]
            self._measure()
        self._next = _NOWHERE

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

        `size` (height, width) shrinks each as it is decoded. Whatever the order, the file is read forwards.
        """
        height, width = size or (self._stream.height, self._stream.width)
        wanted, back = np.unique(numbers, return_inverse=True)
        pictures = np.empty((len(wanted), height, width, 3), np.uint8)
        with self._lock, _read(self.path):
            for slot, number in enumerate(wanted):
                pictures[slot] = _resized(self._decode(int(number)).to_ndarray(format="rgb24"), height, width)
        return pictures if np.array_equal(wanted, numbers) else pictures[back]

    def _decode(self, number: int) -> av.VideoFrame:
        position, self._next = self._next, _NOWHERE
        key = self._keys[max(np.searchsorted(self._keys, number, "right") - 1, 0)]
        if not key <= position <= number:
            self._container.seek(self._first + round(number * self._interval), stream=self._stream)
            self._frames = self._container.decode(self._stream)
        for frame in self._frames:
            reached = self._number(frame.pts)
            if reached == number:
                self._next = number + 1
                return frame
            if reached > number:
                break
        raise DatasetError(
            self.path, f"holds no frame {number} of {self.num_frames}; it is truncated or damaged. Copy it again."
        )

    def _number(self, pts: int | None) -> int:
        return round(((pts or 0) - self._first) / self._interval)


class OpenVideos:
    """Videos kept open, the least recently used closed when there are more than `capacity`; safe to share."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity, self._lock = capacity, threading.Lock()
        self._readers: OrderedDict[Path, VideoReader] = OrderedDict()

    def __getitem__(self, path: Path) -> VideoReader:
        """Give the reader of `path`, opening it when needed."""
        with self._lock:
            if path not in self._readers:
                self._readers[path] = VideoReader(path)
            self._readers.move_to_end(path)
            # A reader that another thread still uses stays open until that thread lets go of it.
            while len(self._readers) > self._capacity:
                self._readers.popitem(last=False)
            return self._readers[path]


def resize(pictures: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize pictures (picture, height, width, 3) by area averaging, as decoding at a `size` does."""
    return np.stack([_resized(picture, height, width) for picture in pictures])


def _resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


@contextmanager
def _read(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    except FFmpegError as error:
        raise DatasetError(
            path, f"cannot be read as video ({error.strerror}); it is truncated or damaged. Copy it again."
        ) from error


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise DatasetError(path, f"cannot be written ({error.strerror}). Is the disk full?") from error
