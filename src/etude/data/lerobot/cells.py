"""Single cells of table columns that numpy cannot hold: texts, messages, pictures packed into tables."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.data.lerobot import tables

KEPT_BYTES = 64 << 20
"""Row groups of texts that stay in memory; the one read last always does."""


class Cells:
    """One column, read by row group when a row of it is asked for; safe to share."""

    def __init__(self, key: str, files: Sequence[Path], starts: np.ndarray, *, kept_bytes: int = KEPT_BYTES) -> None:
        """Take the column's name, the tables, and their first rows with the number of all rows after them."""
        self._key, self._files, self._starts, self._kept_bytes = key, files, starts, kept_bytes
        self._groups: dict[int, np.ndarray] = {}
        self._kept: OrderedDict[tuple[int, int], pa.ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, rows: np.ndarray) -> list[Any]:
        """Give the cells at `rows`, in their order, as Python values."""
        rows = np.asarray(rows, np.int64)
        # Ascending, so that every row group is read once.
        order = np.argsort(rows, kind="stable")
        cells: list[Any] = [None] * len(rows)
        table = np.searchsorted(self._starts, rows, "right") - 1
        for place in order.tolist():
            cells[place] = self._cell(int(table[place]), int(rows[place]))
        return cells

    def file_of(self, row: int) -> Path:
        """Tell which table a row lies in."""
        return self._files[int(np.searchsorted(self._starts, row, "right")) - 1]

    def _cell(self, table: int, row: int) -> Any:
        place = row - int(self._starts[table])
        with self._lock:
            stops = self._stops(table)
            group = int(np.searchsorted(stops, place, "right"))
            before = int(stops[group - 1]) if group else 0
            return self._group(table, group)[place - before].as_py()

    def _stops(self, table: int) -> np.ndarray:
        """Give where each row group of a table ends."""
        if table not in self._groups:
            path = self._files[table]
            with tables.opened(path, [self._key]) as file:
                about = file.metadata
                stops = np.cumsum([about.row_group(each).num_rows for each in range(about.num_row_groups)])
            found, wanted = int(stops[-1]) if len(stops) else 0, int(np.diff(self._starts)[table])
            if found != wanted:
                raise DatasetError(path, f"holds {found} rows, its episodes {wanted}. Copy the dataset again.")
            self._groups[table] = stops
        return self._groups[table]

    def _group(self, table: int, group: int) -> pa.ChunkedArray:
        if (table, group) not in self._kept:
            with tables.opened(self._files[table], [self._key]) as file:
                self._kept[table, group] = file.read_row_group(group, [self._key])[self._key]
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > self._kept_bytes:
                self._kept.popitem(last=False)
        self._kept.move_to_end((table, group))
        return self._kept[table, group]
