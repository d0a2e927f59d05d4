"""The coded pictures of a video file: where they lie, in which order they are shown, and where decoding may begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from etude.core.errors import DatasetError

_START_UNITS = {"h264": {5}, "hevc": {16, 17, 18, 19, 20}}
"""NAL unit types of pictures at which a decoder forgets all before: IDR; BLA and IDR."""
_SLICE_UNITS = {"h264": range(1, 6), "hevc": range(32)}
_PEEK_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Coding:
    """What must be the same in two streams for one to follow the other in a file."""

    codec: str
    width: int
    height: int
    pix_fmt: str
    extradata: bytes


class Film:
    """The table of contents of a video file. Pictures have numbers in the order in which they are shown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path), av.open(str(path)) as container:
            if not container.streams.video:
                raise DatasetError(path, "holds no video stream; it is truncated or damaged. Copy it again.")
            stream = container.streams.video[0]
            self._describe(stream)
            entries = stream.index_entries
            self.place = np.array([entry.pos for entry in entries], np.int64)
            self.size = np.array([entry.size for entry in entries], np.int64)
            self.is_key = np.array([entry.is_keyframe for entry in entries], bool)
            self._times = _times(container, stream, len(entries))

    def _describe(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self.pix_fmt = context.pix_fmt or "yuv420p"
        self.rate = round(stream.average_rate or 0)
        self.coding = Coding(
            codec=context.name if context.name != "libdav1d" else "av1",
            width=context.width,
            height=context.height,
            pix_fmt=self.pix_fmt,
            extradata=bytes(context.extradata or b""),
        )

    @property
    def num_frames(self) -> int:
        """Pictures in the file."""
        return len(self.size)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Per packet, in the order of the file, the number of its picture."""
        order = np.argsort(self._times, kind="stable")
        numbers = np.empty(len(order), np.int64)
        numbers[order] = np.arange(len(order))
        return numbers

    @cached_property
    def starts(self) -> np.ndarray:
        """Numbers at which a closed group of pictures begins: nothing from there on needs what is before."""
        later = np.minimum.accumulate(self.numbers[::-1])[::-1]
        here = np.arange(self.num_frames)
        closed = np.flatnonzero(self.is_key & (later == here) & (self.numbers == here))
        return np.array([number for number in closed.tolist() if self._forgets(number)], np.int64)

    def number_of(self, time: int | None) -> int:
        """Give the number of the picture that is shown at `time`, in the units of the stream."""
        return int(np.searchsorted(self._shown, -1 if time is None else time))

    def seek(self, container: InputContainer, stream: VideoStream, number: int) -> None:
        """Bring a freshly opened reader of this file to where picture `number` can be decoded from."""
        group = max(int(np.searchsorted(self.starts, number, "right")) - 1, 0)
        if group:
            container.seek(int(self._shown[self.starts[group]]), stream=stream)

    def damaged(self, number: int) -> DatasetError:
        """Say that a picture is not there."""
        return DatasetError(self.path, f"holds no frame {number}; it is truncated or damaged. Copy it again.")

    @cached_property
    def _shown(self) -> np.ndarray:
        return np.sort(self._times)

    def _forgets(self, packet: int) -> bool:
        """Whether a decoder forgets everything at this key picture, which H.264 and HEVC do not promise of each."""
        codec = self.coding.codec
        if codec not in _START_UNITS:
            return True
        with self.path.open("rb") as file:
            file.seek(self.place[packet])
            data = file.read(min(int(self.size[packet]), _PEEK_BYTES))
        kinds = _slice_kinds(data, codec)
        return next(kinds, None) in _START_UNITS[codec]


def _times(container: InputContainer, stream: VideoStream, count: int) -> np.ndarray:
    """Read when each packet's picture is shown; where none is shown out of order, the index tells."""
    if not stream.codec_context.has_b_frames:
        return np.array([entry.timestamp for entry in stream.index_entries], np.int64)
    times = [packet.pts for packet in container.demux(stream) if packet.size]
    if len(times) != count or None in times:
        raise DatasetError(stream.container.name, "has pictures without a time. Copy the file again.")
    return np.array(times, np.int64)


def _slice_kinds(data: bytes, codec: str) -> Iterator[int]:
    """Yield the types of the units that hold parts of a picture; units are preceded by four bytes of length."""
    at = 0
    while at + 5 <= len(data):
        kind = data[at + 4] & 31 if codec == "h264" else data[at + 4] >> 1 & 63
        if kind in _SLICE_UNITS[codec]:
            yield kind
        at += 4 + int.from_bytes(data[at : at + 4], "big")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say which file cannot be read, and what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    except FFmpegError as error:
        raise DatasetError(
            path, f"cannot be read as video ({error.strerror}); it is truncated or damaged. Copy it again."
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which file cannot be written."""
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise DatasetError(path, f"cannot be written ({error.strerror}). Is the disk full?") from error
