"""The Parquet tables under `meta/`, and the schema of those under `data/`. Facts: LeRobot 0.6.2, pyarrow, pandas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.stats import Stats
from etude.data.lerobot import tables

TASKS_FILE = Path("meta/tasks.parquet")
STAT_NAMES = ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99")
OWN_PLACE = ("meta/episodes/chunk_index", "meta/episodes/file_index")


def data_table(features: Mapping[str, Mapping[str, Any]], columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Lay out one episode's rows: columns in the order of `features`, described as Hugging Face `datasets` does."""
    kept = {key: feature for key, feature in features.items() if feature["dtype"] != "video"}
    described = {key: _described(feature) for key, feature in kept.items()}
    fingerprint = hashlib.blake2b(json.dumps(described).encode(), digest_size=8).hexdigest()
    metadata = json.dumps({"info": {"features": described}, "fingerprint": fingerprint})
    arrays = {key: tables.from_numpy(_scalar(columns[key])) for key in kept}
    return pa.table(arrays).replace_schema_metadata({"huggingface": metadata})


def episode_row(
    facts: Mapping[str, Any],
    stats: Mapping[str, Stats],
    features: Mapping[str, Mapping[str, Any]],
    own: tuple[int, int],
) -> pa.Table:
    """Lay out one row of the episodes table: facts, statistics in the order of `features`, and the row's own place."""
    measured = {
        f"stats/{key}/{name}": _stat(name, stats[key], feature["dtype"])
        for key, feature in features.items()
        for name in STAT_NAMES
    }
    row = dict(facts) | measured | dict(zip(OWN_PLACE, own, strict=True))
    return pa.table({name: value if isinstance(value, pa.Array) else _fact(value) for name, value in row.items()})


def row_stats(table: pa.Table, keys: Sequence[str]) -> dict[str, Stats]:
    """Read the statistics of one row of the episodes table; none when the table holds none."""
    if any(f"stats/{key}/mean" not in table.column_names for key in keys):
        return {}
    names = {key: [name for name in STAT_NAMES if f"stats/{key}/{name}" in table.column_names] for key in keys}
    return {
        key: Stats.from_json({name: table[f"stats/{key}/{name}"][0].as_py() for name in names[key]}) for key in keys
    }


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """Lay out the task table as pandas does: the text is the index, the number a column."""
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    return table.replace_schema_metadata({"pandas": json.dumps(_PANDAS)})


def read_tasks(root: Path) -> list[str]:
    """Read the task texts by number; LeRobot before 0.6 left the text column unnamed."""
    path = root / TASKS_FILE
    if not path.exists():
        return []
    return tables.read_names(path, "task_index")


def _described(feature: Mapping[str, Any]) -> dict[str, Any]:
    value = {"dtype": feature["dtype"], "_type": "Value"}
    length = feature["shape"][0]
    return value if length == 1 else {"feature": value, "length": length, "_type": "List"}


def _scalar(values: np.ndarray) -> np.ndarray:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _stat(name: str, part: Stats, dtype: str) -> pa.Array:
    if name == "count":
        return pa.array([[part.count]], pa.list_(pa.int64()))
    values = part.quantiles[name] if name in part.quantiles else getattr(part, name)
    is_integer = name in ("min", "max") and "int" in dtype
    kind = pa.int64() if is_integer else pa.float64()
    for _ in range(values.ndim):
        kind = pa.list_(kind)
    return pa.array([values.astype(np.int64 if is_integer else np.float64).tolist()], kind)


def _fact(value: float | list[str]) -> pa.Array:
    """Give a column of one value. Its type is said: to find one out, pyarrow looks for modules, every time."""
    kind = pa.list_(pa.string()) if isinstance(value, list) else pa.int64() if isinstance(value, int) else pa.float64()
    return pa.array([value], kind)


_PANDAS = {
    "index_columns": ["task"],
    "column_indexes": [
        {
            "name": None,
            "field_name": None,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }
    ],
    "columns": [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
        {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
    ],
    "attributes": {},
    "creator": {"library": "pyarrow", "version": pa.__version__},
    "pandas_version": "2.2.3",
}
