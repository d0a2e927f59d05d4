"""The pages of a Parquet file, found by walking over them from the front instead of by its footer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.data.lerobot import thrift
from etude.data.lerobot.thrift import Malformed, Struct

MAGIC = b"PAR1"
TAIL_BYTES = 8
"""The footer's length and the magic number, which end every Parquet file."""
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
"""Values of `PageType`."""
_HEADER_OF = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
"""Field of `PageHeader` that holds what is told of a page of that type."""


def has_footer(path: Path) -> bool:
    """Whether a Parquet file was closed by its writer; reads eight bytes of it."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - TAIL_BYTES, 0))
        return size > TAIL_BYTES and file.read().endswith(MAGIC)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of which every byte is there."""

    start: int
    """Where its header begins."""
    body: int
    """Where what is after the header begins."""
    stop: int
    is_dictionary: bool
    values: int
    encoding: int
    body_bytes: int
    """Length of the body when it is decompressed."""
    rows: int | None = None
    """Rows that begin in it, where its header tells."""
    levels_bytes: int = 0
    """What stands uncompressed at the front of the body: the levels, in a data page of the second version."""
    is_compressed: bool = True

    @property
    def unpacked(self) -> int:
        """Bytes of header and decompressed body."""
        return self.body - self.start + self.body_bytes


class Pages:
    """The pages of a file compressed with snappy, from the front up to the first that is not whole."""

    def __init__(self, data: bytes) -> None:
        self.data, self._view = data, memoryview(data)
        self._pages = list(self._walk())
        self._rows: dict[tuple[int, int], int] = {}

    def __getitem__(self, numbers: slice) -> list[Page]:
        return self._pages[numbers]

    def data_pages(self, at: int) -> Iterator[Page]:
        """Give the data pages from number `at` on, up to a dictionary."""
        for number in range(at, len(self._pages)):
            if self._pages[number].is_dictionary:
                return
            yield self._pages[number]

    def row_counts(self, at: int, depth: int) -> Iterator[int]:
        """Give the numbers of rows that a column which begins with page `at` may have: that of 1, 2, ... pages."""
        total = 0
        first = self._pages[at : at + 1]
        for page in self.data_pages(at + bool(first and first[0].is_dictionary)):
            total += self.rows(page, depth)
            yield total

    def rows(self, page: Page, depth: int) -> int:
        """Count the rows that begin in a data page, of a column whose values have `depth` lists around them.

        0 when the page cannot be of such a column.
        """
        if page.rows is not None or not depth:
            return page.values if page.rows is None else page.rows
        key = page.start, depth
        if key not in self._rows:
            with suppress(Malformed):
                self._rows[key] = _count_zeros(self._unpacked(page), page.values, depth.bit_length())
        return self._rows.setdefault(key, 0)

    def _walk(self) -> Iterator[Page]:
        at = len(MAGIC)
        while at < len(self.data):
            try:
                page = self._page(at)
                self._unpacked(page)
            except (Malformed, pa.ArrowException, OSError):
                return
            yield page
            at = page.stop

    def _page(self, at: int) -> Page:
        header, body = thrift.read(self._view, at)
        kind, size, packed = (_number(header, name) for name in (1, 2, 3))
        told = header.get(_HEADER_OF.get(kind, 0))
        if not isinstance(told, dict) or body + packed > len(self.data):
            raise Malformed("not a whole page")
        facts: dict[str, Any] = {"values": _number(told, 1)}
        if kind == _DATA_V2:
            facts |= {"rows": _number(told, 3), "encoding": _number(told, 4)}
            facts |= {"levels_bytes": _number(told, 5) + _number(told, 6), "is_compressed": bool(told.get(7, True))}
        else:
            facts |= {"encoding": _number(told, 2)}
        is_dictionary = kind == _DICTIONARY
        return Page(start=at, body=body, stop=body + packed, is_dictionary=is_dictionary, body_bytes=size, **facts)

    def _unpacked(self, page: Page) -> bytes:
        """Decompress a page; raise `Malformed` or what pyarrow raises when its bytes are damaged."""
        start, wanted = page.body + page.levels_bytes, page.body_bytes - page.levels_bytes
        if not page.is_compressed or (start == page.stop and not wanted):
            return self.data[start : page.stop]
        promised, _ = thrift.varint(self._view[: page.stop], start)  # snappy begins with the length
        if promised != wanted or start > page.stop:
            raise Malformed("not the bytes that the header promises")
        return pa.decompress(self._view[start : page.stop], wanted, codec="snappy", asbytes=True)


def _number(told: Struct, name: int) -> int:
    value = told.get(name)
    if not isinstance(value, int) or value < 0:
        raise Malformed(f"field {name} is no number")
    return value


def _count_zeros(body: bytes, values: int, width: int) -> int:
    """Count the zeros among a page's repetition levels, each of which begins a row.

    They are runs of one level repeated, or of levels packed `width` bits each in groups of eight.
    """
    stop = 4 + int.from_bytes(body[:4], "little")
    if stop > len(body):
        raise Malformed("the levels are longer than their page")
    view, at, left, zeros = memoryview(body)[:stop], 4, values, 0
    while left > 0:
        head, at = thrift.varint(view, at)
        if head & 1:
            size = (head >> 1) * width
            count = min(left, (head >> 1) * 8)
            zeros += _packed_zeros(view[at : at + size], count, width)
        else:
            size, count = (width + 7) // 8, min(left, head >> 1)
            zeros += count * (not any(view[at : at + size]))
        if not count or at + size > stop:
            raise Malformed("the levels do not add up")
        at, left = at + size, left - count
    return zeros


def _packed_zeros(packed: memoryview, count: int, width: int) -> int:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
    levels = bits[: len(bits) // width * width].reshape(-1, width)[:count]
    return int((~levels.any(axis=1)).sum())
