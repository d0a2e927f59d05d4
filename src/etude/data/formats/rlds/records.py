"""TFRecord files: length, its checksum, the bytes, their checksum; and again."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.formats.rlds.checksum import crc32c, masked

_HEADER, _FOOTER = struct.Struct("<QI"), struct.Struct("<I")
_AGAIN = "Copy the file again."


@dataclass(frozen=True)
class Record:
    """Where one record's bytes lie."""

    path: Path
    number: int
    """Of the record, in its file."""
    start: int
    length: int

    @property
    def span(self) -> tuple[int, int]:
        """Its first byte, and the one after the last."""
        return self.start, self.start + self.length

    @property
    def where(self) -> str:
        """Name the record in a message."""
        return f"record {self.number} at byte {self.start}"


def records(path: Path) -> list[Record]:
    """Find the records of a file by its headers alone; raise `DatasetError` when a header is wrong."""
    found: list[Record] = []
    with mapped(path) as data:
        position = 0
        while position < len(data):
            record = Record(path, len(found), position + _HEADER.size, _length(path, data, position, len(found)))
            found.append(record)
            position = record.start + record.length + _FOOTER.size
    return found


def verify(record: Record, data: memoryview) -> None:
    """Raise `DatasetError` unless the record's bytes have the checksum stored behind them."""
    end = record.start + record.length
    if masked(crc32c(data[record.start : end])) != _FOOTER.unpack_from(data, end)[0]:
        raise DatasetError(record.path, f"{record.where} is damaged: its checksum is wrong. {_AGAIN}")


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Map a file into memory; only what is looked at is read."""
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                yield memoryview(b"")
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages, memoryview(pages) as data:
                yield data
    except FileNotFoundError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    except OSError as error:
        raise DatasetError(path, f"cannot be read ({error.strerror}). {_AGAIN}") from error


def _length(path: Path, data: memoryview, position: int, number: int) -> int:
    where = f"record {number} at byte {position}"
    if len(data) - position < _HEADER.size:
        raise DatasetError(path, f"{where} is cut off: the file ends in it. {_AGAIN}")
    length, crc = _HEADER.unpack_from(data, position)
    if masked(crc32c(data[position : position + 8])) != crc:
        raise DatasetError(path, f"{where} is damaged: its length has a wrong checksum. {_AGAIN}")
    if length > len(data) - position - _HEADER.size - _FOOTER.size:
        raise DatasetError(path, f"{where} is cut off: {length} bytes are promised, the file ends before. {_AGAIN}")
    return length
