"""The rows of one episode of a LeRobot dataset, as the tables of another LeRobot version hold them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.core.stats import Stats
from etude.data.lerobot import tables
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import DEFAULT_FEATURES

Tell = Callable[[int, int], None]
"""Is told how many of how many episodes are done."""

_UNMEASURED = ("string", "language", "video", "image")


def episode_rows(source: LeRobotDataset, number: int, schema: pa.Schema) -> pa.Table:
    """Give the rows of the episode at position `number`, numbered by it, with the columns of `schema`."""
    contents = source.contents
    file, length = int(contents.table[number]), int(source.episodes.length[number])
    start = int(source.episodes.start[number])
    path = contents.tables[file]
    table = _read(path, tuple(schema.names)).slice(start - int(contents.table_starts[file]), length)
    if len(table) != length:
        raise DatasetError(path, f"holds {len(table)} rows of episode {number}, which has {length}. Copy it again.")
    numbers = {"episode_index": np.full(length, number), "index": np.arange(start, start + length)}
    features = source.header.features
    return pa.table([_column(table[name], name, numbers, features[name], schema) for name in schema.names], schema)


def measured(source: LeRobotDataset, table: pa.Table) -> dict[str, Stats]:
    """Measure every column of numbers in an episode's rows."""
    found: dict[str, Stats] = {}
    for name in table.column_names:
        feature = source.header.features[name]
        if feature["dtype"] not in _UNMEASURED:
            found[name] = Stats.of(tables.to_numpy(table[name], tuple(feature["shape"])))
    return found


@lru_cache(maxsize=2)
def _read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    """Read a table, and keep it: the next episode may be in it too."""
    return tables.read(path, columns)


def _column(
    column: pa.ChunkedArray,
    name: str,
    numbers: Mapping[str, np.ndarray],
    feature: Mapping[str, Any],
    schema: pa.Schema,
) -> pa.Array | pa.ChunkedArray:
    """Give a column in the type that the other version has for it."""
    wanted = schema.field(name).type
    if name in numbers:
        return pa.array(numbers[name], wanted)
    if column.type == wanted or feature["dtype"] in _UNMEASURED:
        return column.cast(wanted)
    shape = () if name in DEFAULT_FEATURES else tuple(feature["shape"])
    values = tables.to_numpy(column, shape).astype(feature["dtype"])
    if len(shape) > 1:
        return pa.array(values.tolist(), wanted)
    return tables.from_numpy(values[:, 0] if shape == (1,) else values).cast(wanted)
