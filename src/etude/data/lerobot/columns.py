"""Numeric columns over all tables of a dataset: in memory while they are small, else in files that are mapped.

A file holds one column of all tables, as flat values. It is filled table by table, when a row of a table is first
touched, by whichever process comes first; every process maps the same file, so it is in memory once. What tells the
file is what is in the tables and when they were written, so it serves later runs and other names of them too.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.core.files import atomic
from etude.core.spec import Spec
from etude.data.cache_folder import cache_folder, make_room, touch
from etude.data.lerobot import tables
from etude.data.lerobot.identity import identity

SMALL_BYTES = 64 << 20
"""Columns of a dataset that together take no more than this stay in memory."""
LIMIT_BYTES = 16 << 30
"""Bytes of all column files on this machine."""
_MAGIC = b"etude column 1\n\0"
_PAGE = 4096
_EMPTY, _FULL = 0, 1


class Columns:
    """The numeric columns of a dataset, each read when it is first asked for."""

    def __init__(
        self, specs: Mapping[str, Spec], files: Sequence[Path], starts: np.ndarray, identity: str = ""
    ) -> None:
        """Take the columns' specs, the tables with their first rows, and what tells these tables from others.

        `starts` has one entry more than there are tables: the number of all rows. Without an `identity` the
        contents of the files are one.
        """
        self.specs = dict(specs)
        self._files, self._starts, self._given_identity = files, starts, identity
        self._columns: dict[str, _Column] = {}
        self._lock = threading.Lock()
        row_bytes = sum(np.dtype(spec.dtype).itemsize * int(np.prod(spec.shape)) for spec in specs.values())
        self.is_small = row_bytes * int(starts[-1]) <= SMALL_BYTES

    def whole(self, key: str) -> np.ndarray:
        """Give a column over all rows, read-only."""
        column = self._column(key)
        if not column.is_full():
            self._fill(key, np.arange(len(self._files)))
        return self._columns[key].values

    def take(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Give a column at `rows`, of any shape, reading only the tables they lie in."""
        if not self._column(key).is_full():
            touched = np.searchsorted(self._starts, rows.reshape(-1), "right") - 1
            self._fill(key, np.unique(touched))
        return self._columns[key].values.take(rows, axis=0)

    def _column(self, key: str) -> _Column:
        with self._lock:
            # A small dataset reads all its columns in one pass.
            for each in self.specs if self.is_small else (key,):
                if each not in self._columns:
                    self._columns[each] = self._opened(each)
            return self._columns[key]

    def _opened(self, key: str) -> _Column:
        spec, rows = self.specs[key], int(self._starts[-1])
        if not self.is_small:
            with suppress(OSError):
                return _ColumnFile(self._place(key), spec, rows, len(self._files))
        return _ColumnInMemory(spec, rows, len(self._files))

    def _place(self, key: str) -> Path:
        told = f"{self._identity}/{key}/{self.specs[key]}".encode()
        return cache_folder("columns") / f"{hashlib.blake2b(told, digest_size=16).hexdigest()}.column"

    @cached_property
    def _identity(self) -> str:
        if self._given_identity:
            return self._given_identity
        rows = hashlib.blake2b(self._starts.tobytes(), digest_size=16).hexdigest()
        return f"{identity(self._files)}/{rows}"

    def _fill(self, key: str, touched: np.ndarray) -> None:
        with self._lock:
            for table in touched.tolist():
                # Columns asked for earlier are filled in the same pass over the file.
                missing = [name for name, column in self._columns.items() if not column.has(table)]
                if key in missing:
                    self._read(table, missing)
        pa.default_memory_pool().release_unused()

    def _read(self, table: int, keys: Sequence[str]) -> None:
        path, row, stop = self._files[table], int(self._starts[table]), int(self._starts[table + 1])
        length = stop - row
        for batch in tables.batches(path, keys):
            if row + len(batch) <= stop:
                for key in keys:
                    self._write(key, table, row, _values(path, key, batch, self.specs[key]))
            row += len(batch)
        if row != stop:
            raise DatasetError(
                path, f"holds {row - stop + length} rows, its episodes {length}. Copy the dataset again."
            )
        for key in keys:
            self._mark(key, table)

    def _write(self, key: str, table: int, row: int, values: np.ndarray) -> None:
        try:
            self._columns[key].write(row, values)
        except OSError:  # a full disk
            self._go_on_in_memory(key, table, row)
            self._columns[key].write(row, values)

    def _mark(self, key: str, table: int) -> None:
        try:
            self._columns[key].mark(table)
        except OSError:  # a full disk, noticed late
            self._go_on_in_memory(key, table, int(self._starts[table + 1]))
            self._columns[key].mark(table)

    def _go_on_in_memory(self, key: str, table: int, row: int) -> None:
        """Take a column into memory when its file cannot grow: the tables it has, and this one up to `row`."""
        old, new = self._columns[key], _ColumnInMemory(self.specs[key], int(self._starts[-1]), len(self._files))
        for each in range(len(self._files)):
            start, stop = int(self._starts[each]), int(self._starts[each + 1])
            if each == table:
                new.write(start, old.values[start:row])
            elif old.has(each):
                new.write(start, old.values[start:stop])
                new.mark(each)
        self._columns[key] = new


class _Column(Protocol):
    """The values of one column, and which tables' rows they hold by now."""

    values: np.ndarray
    """All rows, read-only; those of tables that it does not have yet hold nothing."""

    def write(self, row: int, values: np.ndarray) -> None: ...
    def mark(self, table: int) -> None: ...
    def has(self, table: int) -> bool: ...
    def is_full(self) -> bool: ...


class _ColumnInMemory(_Column):
    def __init__(self, spec: Spec, rows: int, num_tables: int) -> None:
        self._writable = np.empty((rows, *spec.shape), spec.dtype)
        self._is_marked = np.zeros(num_tables, bool)
        self.values = self._writable.view()
        self.values.flags.writeable = False

    def write(self, row: int, values: np.ndarray) -> None:
        self._writable[row : row + len(values)] = values

    def mark(self, table: int) -> None:
        self._is_marked[table] = True

    def has(self, table: int) -> bool:
        return bool(self._is_marked[table])

    def is_full(self) -> bool:
        return bool(self._is_marked.all())


class _ColumnFile(_Column):
    """A file: what it is, one byte per table that tells whether its rows are there, and from the next page on values.

    A table is marked after its values have reached the disk, so a crash at any time leaves no mark without values.
    Values are written by calls and not through the map, because a full disk kills who writes through a map.
    """

    def __init__(self, path: Path, spec: Spec, rows: int, num_tables: int) -> None:
        self._begin = -(-(len(_MAGIC) + num_tables) // _PAGE) * _PAGE
        self._row_bytes = np.dtype(spec.dtype).itemsize * int(np.prod(spec.shape))
        size = self._begin + rows * self._row_bytes
        # One handle for the map and for writing: another program may put a new file in this one's place.
        self._handle = _opened(path, size, num_tables)
        weakref.finalize(self, os.close, self._handle)
        mapped = np.frombuffer(mmap.mmap(self._handle, size, access=mmap.ACCESS_READ), np.uint8)
        self._marks = mapped[len(_MAGIC) : len(_MAGIC) + num_tables]
        self.values = mapped[self._begin :].view(spec.dtype).reshape(rows, *spec.shape)
        self._is_full = False

    def write(self, row: int, values: np.ndarray) -> None:
        offset, left = self._begin + row * self._row_bytes, values.tobytes()
        while left:
            written = _write_at(self._handle, left, offset)
            offset, left = offset + written, left[written:]

    def mark(self, table: int) -> None:
        os.fsync(self._handle)
        _write_at(self._handle, bytes([_FULL]), len(_MAGIC) + table)

    def has(self, table: int) -> bool:
        return bool(self._marks[table])

    def is_full(self) -> bool:
        self._is_full = self._is_full or bool(self._marks.all())
        return self._is_full


def _opened(path: Path, size: int, num_tables: int) -> int:
    """Open a column file, made anew unless there is a sound one."""
    if not _is_sound(path, size, num_tables):
        path.unlink(missing_ok=True)
        make_room(path.parent, max(LIMIT_BYTES - size, 0))
        with atomic(path) as draft, draft.open("wb") as file:
            file.write(_MAGIC)
            file.truncate(size)
    touch(path)
    try:
        return os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except PermissionError:  # a full column of another user
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


def _write_at(handle: int, data: bytes, offset: int) -> int:
    """Write in one call where there is one: a forked process shares the handle's position."""
    if hasattr(os, "pwrite"):
        return os.pwrite(handle, data, offset)
    os.lseek(handle, offset, os.SEEK_SET)
    return os.write(handle, data)


def _is_sound(path: Path, size: int, num_tables: int) -> bool:
    try:
        with path.open("rb") as file:
            magic, marks = file.read(len(_MAGIC)), file.read(num_tables)
            return magic == _MAGIC and path.stat().st_size == size and not marks.strip(bytes([_EMPTY, _FULL]))
    except FileNotFoundError:
        return False


def _values(path: Path, key: str, batch: pa.RecordBatch, spec: Spec) -> np.ndarray:
    column = pa.chunked_array([batch.column(key)])
    try:
        return tables.to_numpy(column, spec.shape).astype(spec.dtype, casting="same_kind", copy=False)
    except (ValueError, TypeError, pa.ArrowException) as error:
        told = f"{column.type} cannot be read as {spec}"
        raise DatasetError(path, f"does not hold what is declared for '{key}': {told} ({error}).") from error
