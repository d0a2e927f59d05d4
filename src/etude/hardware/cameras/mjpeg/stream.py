"""The bytes of a multipart MJPEG stream."""

from __future__ import annotations

from typing import BinaryIO

_MAX_PICTURE = 32 * 2**20
_MAX_LINE = 4096
_JPEG_END = b"\xff\xd9"


def read_picture(stream: BinaryIO, boundary: bytes) -> bytes | None:
    """Give the next part's JPEG bytes; nothing when the stream has ended or is no MJPEG stream."""
    while boundary not in (line := stream.readline(_MAX_LINE)):
        if not line:
            return None
    size = _content_length(stream)
    if size is None:
        return _read_jpeg(stream)
    data = stream.read(size) if 0 < size <= _MAX_PICTURE else b""
    return data if data and len(data) == size else None


def _content_length(stream: BinaryIO) -> int | None:
    """Read a part's headers up to the empty line; give the length they promise."""
    size = None
    while line := stream.readline(_MAX_LINE).strip():
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            size = int(value)
    return size


def _read_jpeg(stream: BinaryIO) -> bytes | None:
    """Read a part of unknown length up to the line in which its JPEG ends."""
    data = bytearray()
    while len(data) <= _MAX_PICTURE:
        line = stream.readline(_MAX_LINE)
        if not line:
            return None
        data += line
        if bytes(data[-4:]).rstrip().endswith(_JPEG_END):
            return bytes(data.rstrip())
    return None
