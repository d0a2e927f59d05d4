"""Parquet tables, to and from numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.errors import DatasetError
from etude.core.files import atomic
from etude.data.lerobot.parquet_pages import has_footer

_BATCH_ROWS = 65_536


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read `columns` of a Parquet file; raise `DatasetError` naming it when it is missing, damaged or lacks one."""
    with opened(path, columns or ()) as file:
        return file.read(columns)


def num_rows(path: Path) -> int:
    """Count the rows of a Parquet file by what its footer says."""
    with opened(path) as file:
        return file.metadata.num_rows


def batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Read `columns` in parts, so that a file of any size needs little memory."""
    with opened(path, columns) as file:
        yield from file.iter_batches(_BATCH_ROWS, columns=list(columns))


@contextmanager
def opened(path: Path, columns: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file for a block; raise `DatasetError` when it is missing, damaged, or lacks one of `columns`."""
    try:
        # Opened by us: pyarrow leaves its own handle to the garbage collector when the footer is damaged.
        with pa.OSFile(str(path)) as source, pq.ParquetFile(source) as file:
            lacking = [name for name in columns if name not in file.schema_arrow.names]
            if lacking:
                raise DatasetError(path, f"lacks the column {', '.join(lacking)}, which the dataset declares.")
            yield file
    except FileNotFoundError as error:
        raise DatasetError(path, "is missing. Copy it again from where the dataset came from.") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        saves = "" if has_footer(path) else ", or save what is whole of an unfinished recording: etude dataset recover"
        raise DatasetError(
            path, f"cannot be read as Parquet ({reason}); it is truncated or damaged. Copy it again{saves}."
        ) from error


def read_names(path: Path, number: str) -> list[str]:
    """Read texts by their number, a column of that name; old releases of LeRobot left the text column unnamed."""
    table = read(path)
    text = next((name for name in table.column_names if name != number), None)
    if text is None or number not in table.column_names:
        raise DatasetError(path, f"should have the columns {number} and its text, got {table.column_names}.")
    return table.sort_by(number)[text].to_pylist()


def write(path: Path, table: pa.Table) -> None:
    """Write `table` atomically, as LeRobot does: snappy, dictionaries, one row group."""
    with atomic(path) as draft:
        pq.write_table(table, draft, compression="snappy", use_dictionary=True, row_group_size=max(len(table), 1))


def to_numpy(column: pa.ChunkedArray, shape: tuple[int, ...]) -> np.ndarray:
    """Give a numeric column as (rows, *shape); lists of any depth are flattened first."""
    values = pa.chunked_array([_flat(chunk) for chunk in column.chunks], _leaf(column.type))
    return values.to_numpy().reshape(len(column), *shape)


def from_numpy(values: np.ndarray) -> pa.Array:
    """Give (rows,) as a plain column and (rows, n) as fixed-size lists, their items called `element`."""
    flat = pa.array(values.reshape(-1))
    if values.ndim == 1:
        return flat
    return pa.FixedSizeListArray.from_arrays(flat, type=pa.list_(pa.field("element", flat.type), values.shape[1]))


def _flat(values: pa.Array) -> pa.Array:
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    while pa.types.is_nested(values.type):
        values = values.flatten()
    return values


def _leaf(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    while pa.types.is_nested(kind):
        kind = kind.value_type
    return kind
