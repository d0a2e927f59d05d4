"""Parquet files whose writer was killed: their pages are there, the footer that says where they are is not.

A row group is its columns one after the other, and a column is a dictionary page followed by data pages, each behind a
header of its own. So the pages can be counted off from the front, and a footer written for the row groups that are
whole. Facts: Parquet's `parquet.thrift`; LeRobot writes through pyarrow, with snappy and dictionaries.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.errors import DatasetError
from etude.data.lerobot import tables, thrift
from etude.data.lerobot.parquet_pages import MAGIC, TAIL_BYTES, Page, Pages
from etude.data.lerobot.thrift import BINARY, I16, I32, I64, LIST, STRUCT, Field, binary, integer, sequence

_PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
_BYTES = {"INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8}
_RLE, _SNAPPY = 3, 1
_SCHEMA, _NUM_ROWS, _ROW_GROUPS = 2, 3, 4
"""Fields of `FileMetaData`."""


@dataclass(frozen=True, kw_only=True)
class Rescued:
    """What could be read of a Parquet file."""

    table: pa.Table
    lost_bytes: int = 0
    """Bytes at the end that belong to no whole row group; 0 for a file that is whole."""


def rescue(path: Path, schemas: Sequence[pa.Schema]) -> Rescued:
    """Read all whole row groups of a file with or without a footer.

    Without one, what the file's columns are must be known: the one of `schemas` that explains most of it is taken.
    Raises `DatasetError` when the file is missing or is no Parquet file from its first bytes on.
    """
    try:
        return Rescued(table=tables.read(path))
    except DatasetError:
        if not path.is_file():
            raise
    data = path.read_bytes()
    if not MAGIC.startswith(data[: len(MAGIC)]):
        raise DatasetError(path, "does not begin as a Parquet file does. Copy it again.")
    pages = Pages(data)
    attempts: list[Rescued] = []
    for schema in schemas:
        attempts.append(_rescued(pages, schema))
        if attempts[-1].table.num_rows and not attempts[-1].lost_bytes:
            break
    return max(attempts, key=lambda attempt: attempt.table.num_rows)


def with_footer(data: bytes, schema: pa.Schema) -> bytes:
    """Give the file that `data` would have been, had its writer closed it after the last whole row group."""
    pages = Pages(data)
    return _closed(pages, schema, _row_groups(pages, schema))


def _rescued(pages: Pages, schema: pa.Schema) -> Rescued:
    groups = _row_groups(pages, schema)
    end = groups[-1].stop if groups else min(len(MAGIC), len(pages.data))
    with pq.ParquetFile(pa.BufferReader(_closed(pages, schema, groups))) as file:
        table = pa.concat_tables([schema.empty_table(), *_readable(file)])
    return Rescued(table=table, lost_bytes=len(pages.data) - end)


def _readable(file: pq.ParquetFile) -> Iterator[pa.Table]:
    """Read the row groups up to the first whose values are not what their pages promise."""
    for number in range(file.num_row_groups):
        try:
            yield file.read_row_group(number)
        except (pa.ArrowException, OSError):
            return


@dataclass(frozen=True)
class _Leaf:
    """A column of plain values; a list or struct column of the table is one or several of these."""

    path: tuple[str, ...]
    physical: str
    depth: int
    """How many lists are around a value."""


@dataclass(frozen=True)
class _RowGroup:
    """The pages of each leaf, for the same number of rows."""

    rows: int
    chunks: list[list[Page]]

    @property
    def start(self) -> int:
        return self.chunks[0][0].start

    @property
    def stop(self) -> int:
        return self.chunks[-1][-1].stop


def _row_groups(pages: Pages, schema: pa.Schema) -> list[_RowGroup]:
    leaves, at, found = _leaves(schema), 0, []
    while (group := _row_group(pages, at, leaves)) is not None:
        found.append(group)
        at += sum(map(len, group.chunks))
    # A power cut leaves zeros where a file had grown; in a last page that ends in them, nobody knows which are its own.
    if found and pages.data[found[-1].stop - 1 : found[-1].stop + 1] == bytes(2):
        found.pop()
    return found


def _row_group(pages: Pages, at: int, leaves: list[_Leaf]) -> _RowGroup | None:
    """Take the pages from `at` on as one row group; none when they do not make a whole one.

    How many rows it has is not written anywhere: it is as many as the first leaf's pages hold, all or the first few.
    """
    for rows in pages.row_counts(at, leaves[0].depth):
        ends = _ends(pages, at, leaves, rows)
        if ends:
            return _RowGroup(rows, [pages[start:end] for start, end in pairwise([at, *ends])])
    return None


def _ends(pages: Pages, at: int, leaves: list[_Leaf], rows: int) -> list[int]:
    """Find where each leaf's pages end, if there are `rows` rows of all; where in doubt, try the shorter first."""
    ends: list[int] = []
    attempts = [_chunk_ends(pages, at, leaves[0], rows)]
    while attempts:
        end = next(attempts[-1], None)
        if end is None:
            attempts.pop()
            ends = ends[: max(len(attempts) - 1, 0)]
        else:
            ends = [*ends[: len(attempts) - 1], end]
            if len(attempts) == len(leaves):
                return ends
            attempts.append(_chunk_ends(pages, end, leaves[len(attempts)], rows))
    return []


def _chunk_ends(pages: Pages, at: int, leaf: _Leaf, rows: int) -> Iterator[int]:
    """Give the ends that the pages of one leaf may have, which begin with `at` and hold `rows` rows.

    All but booleans begin with a dictionary. A page in which no row begins goes on with the last row before it.
    """
    first = pages[at : at + 1]
    has_dictionary = bool(first) and first[0].is_dictionary
    if has_dictionary == (leaf.physical == "BOOLEAN"):
        return
    width = _BYTES.get(leaf.physical)
    if has_dictionary and width and first[0].body_bytes != first[0].values * width:
        return
    found, end = 0, at + has_dictionary
    for page in pages.data_pages(end):
        found, end = found + pages.rows(page, leaf.depth), end + 1
        if found > rows:
            return
        if found == rows:
            yield end


def _leaves(schema: pa.Schema) -> list[_Leaf]:
    empty = _empty_file(schema)
    footer = thrift.read(memoryview(empty), _footer_start(empty))[0]
    paths = _paths(iter(footer[_SCHEMA]))
    with pq.ParquetFile(pa.BufferReader(empty)) as file:
        columns = [file.schema.column(number) for number in range(len(file.schema))]
    return [
        _Leaf(path[1:], each.physical_type, each.max_repetition_level)
        for path, each in zip(paths, columns, strict=True)
    ]


def _paths(elements: Iterator[thrift.Struct]) -> list[tuple[str, ...]]:
    """Read one element of the schema, with those inside it, as the paths of its leaves."""
    element = next(elements)
    name, children = element[4].decode(), element.get(5, 0)
    if not children:
        return [(name,)]
    return [(name, *path) for _ in range(children) for path in _paths(elements)]


def _footer_start(file: bytes) -> int:
    return len(file) - TAIL_BYTES - int.from_bytes(file[-TAIL_BYTES:-4], "little")


def _empty_file(schema: pa.Schema) -> bytes:
    """Let pyarrow write the part of a footer that depends on the columns alone."""
    sink = io.BytesIO()
    pq.write_table(schema.empty_table(), sink, compression="snappy")
    return sink.getvalue()


def _closed(pages: Pages, schema: pa.Schema, groups: list[_RowGroup]) -> bytes:
    empty = _empty_file(schema)
    parts = thrift.fields(memoryview(empty), _footer_start(empty))
    kept = [part for part in parts if part.number not in (_NUM_ROWS, _ROW_GROUPS)]
    leaves = _leaves(schema)
    listed = sequence(STRUCT, [_coded(group, leaves, number) for number, group in enumerate(groups)])
    rows = integer(sum(group.rows for group in groups))
    footer = thrift.write([*kept, Field(_NUM_ROWS, I64, rows), Field(_ROW_GROUPS, LIST, listed)])
    body = pages.data[: groups[-1].stop] if groups else MAGIC
    return body + footer + len(footer).to_bytes(4, "little") + MAGIC


def _coded(group: _RowGroup, leaves: list[_Leaf], number: int) -> bytes:
    """Code `RowGroup`."""
    chunks = [_coded_chunk(leaf, chunk) for leaf, chunk in zip(leaves, group.chunks, strict=True)]
    unpacked = sum(page.unpacked for chunk in group.chunks for page in chunk)
    return thrift.write(
        [
            Field(1, LIST, sequence(STRUCT, chunks)),
            Field(2, I64, integer(unpacked)),
            Field(3, I64, integer(group.rows)),
            Field(5, I64, integer(group.start)),
            Field(6, I64, integer(group.stop - group.start)),
            Field(7, I16, integer(number % (1 << 15))),
        ]
    )


def _coded_chunk(leaf: _Leaf, chunk: list[Page]) -> bytes:
    """Code `ColumnChunk`, with its `ColumnMetaData`."""
    data = [page for page in chunk if not page.is_dictionary]
    encodings = sorted({_RLE, *(page.encoding for page in chunk)})
    parts = [
        Field(1, I32, integer(_PHYSICAL.index(leaf.physical))),
        Field(2, LIST, sequence(I32, [integer(encoding) for encoding in encodings])),
        Field(3, LIST, sequence(BINARY, [binary(name.encode()) for name in leaf.path])),
        Field(4, I32, integer(_SNAPPY)),
        Field(5, I64, integer(sum(page.values for page in data))),
        Field(6, I64, integer(sum(page.unpacked for page in chunk))),
        Field(7, I64, integer(chunk[-1].stop - chunk[0].start)),
        Field(9, I64, integer(data[0].start)),
    ]
    if chunk[0].is_dictionary:
        parts.append(Field(11, I64, integer(chunk[0].start)))
    return thrift.write([Field(2, I64, integer(chunk[0].start)), Field(3, STRUCT, thrift.write(parts))])
