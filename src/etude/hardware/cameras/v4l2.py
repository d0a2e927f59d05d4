"""What Linux tells of a camera: its formats and sizes, asked with the calls of linux/videodev2.h."""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which has no such devices either
    fcntl = None

_CAPTURE = 1
_DISCRETE = 1
_ENUM_FORMAT, _ENUM_SIZE = 0xC0405602, 0xC02C564A  # VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES
_FORMAT = struct.Struct("<III32s4s16x")  # struct v4l2_fmtdesc: index, type, flags, description, pixelformat
_SIZE = struct.Struct("<I4sI6I8x")  # struct v4l2_frmsizeenum: index, pixel_format, type, sizes

Ask = Callable[[int, bytearray], None]
"""Fills in a structure for a request; raises `OSError` when there is no more."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way in which a camera gives pictures."""

    fourcc: str
    sizes: tuple[tuple[int, int], ...] = ()
    """Widths and heights [pixels]; the smallest and largest where every size between is possible."""


def formats(device: Path) -> tuple[Format, ...]:
    """List what `device` offers; nothing when it cannot be asked."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        return told(lambda request, data: _ioctl(handle, request, data))
    finally:
        os.close(handle)


def told(ask: Ask) -> tuple[Format, ...]:
    """List the formats that `ask` tells of."""
    found: list[Format] = []
    for index in itertools.count():
        data = bytearray(_FORMAT.pack(index, _CAPTURE, 0, b"", bytes(4)))
        try:
            ask(_ENUM_FORMAT, data)
        except OSError:
            return tuple(found)
        code = _FORMAT.unpack(data)[4]
        found.append(Format(fourcc=code.decode("ascii", "replace").strip(), sizes=tuple(_sizes(ask, code))))
    return tuple(found)


def _sizes(ask: Ask, code: bytes) -> Iterator[tuple[int, int]]:
    for index in itertools.count():
        data = bytearray(_SIZE.pack(index, code, 0, *[0] * 6))
        try:
            ask(_ENUM_SIZE, data)
        except OSError:
            return
        _, _, kind, *size = _SIZE.unpack(data)
        if kind == _DISCRETE:
            yield size[0], size[1]
        else:  # least width, greatest width, step, and the same of the height
            yield size[0], size[3]
            yield size[1], size[4]
            return


def _ioctl(handle: int, request: int, data: bytearray) -> None:
    if fcntl is None:
        raise OSError
    fcntl.ioctl(handle, request, data)
