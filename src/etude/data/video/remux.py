"""A recording's growing file, or what a crash left of one, made into a plain file: the same coded pictures, moved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from etude.core.errors import DatasetError
from etude.data.video.packets import reading, writing

_HEADER = 8
_IN_HEADER, _TO_END = 1, 0
"""Sizes of boxes that mean something else: the size follows in the header; the box ends with the file."""


def remux(source: Path, target: Path) -> int:
    """Copy the pictures of `source` into `target`, a file that starts with its index; give how many there are.

    The n-th picture is shown at exactly n / fps. A file whose writer was killed gives its pictures up to the last
    whole fragment. Raises `DatasetError` when there is not one picture, or when `target` cannot be written.
    """
    with reading(source), source.open("rb") as file, _opened(file) as container:
        packets = _shifted(_packets(container))
        first = next(packets, None)
        if first is None:
            raise DatasetError(source, "holds no picture yet. There is nothing to keep.")
        return _write(target, cast("VideoStream", first.stream), first, packets)


def _opened(file: BinaryIO) -> InputContainer:
    return av.open(cast("BinaryIO", _Beginning(file, _whole_bytes(file))), "r")


def _write(target: Path, template: VideoStream, first: Packet, packets: Iterator[Packet]) -> int:
    with writing(target), av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream, count = container.add_stream_from_template(template, opaque=True), 0
        for packet in (first, *packets):
            packet.stream = stream
            container.mux(packet)
            count += 1
    return count


def _packets(container: InputContainer) -> Iterator[Packet]:
    if container.streams.video:
        yield from (packet for packet in container.demux(container.streams.video[0]) if packet.size)


def _shifted(packets: Iterator[Packet]) -> Iterator[Packet]:
    """Let time begin with the first picture: a growing file cannot say in advance how far its clock is off."""
    start: int | None = None
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        start = packet.pts if start is None else start
        packet.pts, packet.dts = packet.pts - start, packet.dts - start
        yield packet


class _Beginning:
    """The first `size` bytes of a file, for FFmpeg, which refuses a file that ends inside a fragment's index."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.name = file.name
        file.seek(0)

    def read(self, count: int = -1) -> bytes:
        left = self._size - self._file.tell()
        return self._file.read(left if count < 0 else max(min(count, left), 0))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END:
            return self._file.seek(max(self._size + offset, 0))
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _whole_bytes(file: BinaryIO) -> int:
    """Tell where the last whole fragment ends: an index (`moof`) and its pictures (`mdat`); other boxes count alone."""
    end = os.fstat(file.fileno()).st_size
    at = whole = 0
    while at + _HEADER <= end:
        file.seek(at)
        size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if size == _IN_HEADER:
            size = int.from_bytes(file.read(8), "big")
        elif size == _TO_END:
            size = end - at
        at += max(size, _HEADER)
        if at <= end and kind != b"moof":
            whole = at
    return whole
