"""Some columns of several Parquet files, as one table that opens fast the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from etude.core.files import atomic
from etude.data.cache_folder import cache_folder, make_room, touch
from etude.data.lerobot import tables
from etude.data.lerobot.identity import identity

LARGE_BYTES = 16 << 20
"""Files that together take more than this are gathered once. LeRobot writes ten rows to a row group and statistics in a
hundred columns, and a Parquet file must be told about all of that before one column of it is read."""
LIMIT_BYTES = 1 << 30
"""Bytes of all gathered tables on this machine."""


def read_gathered(paths: Sequence[Path], columns: Sequence[str]) -> pa.Table:
    """Read `columns` of all files, one file after the other."""
    if sum(path.stat().st_size for path in paths if path.exists()) <= LARGE_BYTES:
        return _read(paths, columns)
    told = f"{identity(paths)} {list(columns)}"
    place = cache_folder("tables") / f"{hashlib.blake2b(told.encode(), digest_size=16).hexdigest()}.arrow"
    with suppress(OSError, pa.ArrowException):
        with pa.OSFile(str(place)) as source:
            table = pa.ipc.open_file(source).read_all()
        touch(place)
        return table
    table = _read(paths, columns)
    with suppress(OSError):  # a full disk, or one that cannot be written
        make_room(place.parent, LIMIT_BYTES)
        with atomic(place) as draft, pa.ipc.new_file(str(draft), table.schema) as file:
            file.write_table(table)
    return table


def _read(paths: Sequence[Path], columns: Sequence[str]) -> pa.Table:
    parts = [tables.read(path, columns) for path in paths]
    if not parts:
        parts = [pa.table({name: pa.array([], pa.int64()) for name in columns})]
    return pa.concat_tables(parts, promote_options="permissive").combine_chunks()
