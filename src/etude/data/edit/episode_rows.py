"""The episodes table of a new version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.stats import Stats
from etude.data.edit.measure import Measured
from etude.data.edit.plan import Plan
from etude.data.edit.tasks import Tasks
from etude.data.edit.videos import Clip
from etude.data.formats.lerobot_v3.layout import Place
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES

_SHIFTED = ("min", "max", "mean", "q01", "q10", "q50", "q90", "q99")


def episode_rows(
    plan: Plan, tasks: Tasks, data: Sequence[Place], clips: Mapping[str, Sequence[Clip]], found: Measured
) -> pa.Table:
    """Lay out a row per new episode: what was known of it, where it is now, and what was measured again."""
    table = _with_stats(_carried(plan), plan, found)
    table = table.rename_columns([_renamed(name, plan.keys) for name in table.column_names])
    facts: dict[str, Any] = {
        "episode_index": np.arange(len(plan.kept)),
        "tasks": pa.array(tasks.of_episode, pa.list_(pa.string())),
        "length": np.diff(plan.starts),
        "data/chunk_index": [chunk for chunk, _ in data],
        "data/file_index": [file for _, file in data],
        "dataset_from_index": plan.starts[:-1],
        "dataset_to_index": plan.starts[1:],
    }
    for key, of_key in clips.items():
        places = {"chunk_index": [clip.place[0] for clip in of_key], "file_index": [clip.place[1] for clip in of_key]}
        times = {name: [getattr(clip, name) for clip in of_key] for name in ("from_timestamp", "to_timestamp")}
        facts |= {f"videos/{plan.keys[key]}/{name}": values for name, values in (places | times).items()}
    for name, values in facts.items():
        table = _with_column(table, name, values)
    return table


def _carried(plan: Plan) -> pa.Table:
    """Take each new episode's old row, without what belongs to keys that are dropped."""
    parts: list[pa.Table] = []
    owner = np.array([each.source for each in plan.kept], np.int64)
    episode = np.array([each.episode for each in plan.kept], np.int64)
    for number, source in enumerate(plan.sources):
        if not len(source):
            continue
        table = _taken(source.rows, episode[owner == number])
        gone = [name for name in table.column_names if _key_of(name) in source.features.keys() - plan.keys.keys()]
        parts.append(table.drop_columns(gone) if gone else table)
    order = np.argsort(np.argsort(owner, kind="stable"), kind="stable")
    return _taken(pa.concat_tables(parts, promote_options="permissive"), order).combine_chunks()


def _taken(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """Take rows; taking all of them in order costs nothing."""
    return table if np.array_equal(rows, np.arange(len(table))) else table.take(pa.array(rows))


def _key_of(column: str) -> str:
    """Give the feature that a column such as `stats/action/mean` is about; feature names hold no slash."""
    prefix, _, rest = column.partition("/")
    return rest.rpartition("/")[0] if prefix in ("stats", "videos") else ""


def _renamed(column: str, keys: Mapping[str, str]) -> str:
    key = _key_of(column)
    prefix, name = column.partition("/")[0], column.rpartition("/")[2]
    return f"{prefix}/{keys.get(key, key)}/{name}" if key else column


def _with_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    if name not in table.column_names:
        return table.append_column(name, pa.array(values))
    at = table.column_names.index(name)
    kind = table.schema.field(at).type
    column = values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)
    return table.set_column(at, table.schema.field(at), column)


def _with_stats(table: pa.Table, plan: Plan, found: Measured) -> pa.Table:
    """Put in what was measured; elsewhere only numbers that tell where rows are have changed, all by the same."""
    old_rows = np.array([plan.sources[kept.source].first_row[kept.episode] for kept in plan.kept], np.int64)
    old_numbers = np.array([kept.episode for kept in plan.kept], np.int64)
    table = _shifted(table, "index", plan.starts[:-1] - old_rows)
    table = _shifted(table, "episode_index", np.arange(len(plan.kept)) - old_numbers)
    by_key: dict[str, dict[int, Stats]] = {}
    for number, stats in found.items():
        for key, part in stats.items():
            by_key.setdefault(key, {})[number] = part
    for key, of_episode in by_key.items():
        table = _replaced(table, key, plan.sources[0].features[key], of_episode)
    return table


def _shifted(table: pa.Table, key: str, by: np.ndarray) -> pa.Table:
    """Add to the statistics of a column of one number what was added to all its values."""
    known = table.column_names if by.any() else ()
    for name in (f"stats/{key}/{stat}" for stat in _SHIFTED):
        if name in known and not table[name].null_count:
            column = table[name].combine_chunks()
            values = column.flatten().to_numpy() + by
            offsets = pa.array(np.arange(len(table) + 1), pa.int32())
            kind = column.type.value_type
            shifted = pa.ListArray.from_arrays(offsets, pa.array(values, kind)).cast(column.type)
            table = table.set_column(table.column_names.index(name), table.schema.field(name), shifted)
    return table


def _replaced(table: pa.Table, key: str, feature: Mapping[str, Any], of_episode: Mapping[int, Stats]) -> pa.Table:
    order = np.arange(len(table))
    order[list(of_episode)] = len(table) + np.arange(len(of_episode))
    for stat in STAT_NAMES:
        name = f"stats/{key}/{stat}"
        if name not in table.column_names:
            if f"stats/{key}/mean" in table.column_names and stat != "mean" and stat.startswith("q"):
                continue  # written before there were quantiles
            table = table.append_column(name, pa.nulls(len(table), _kind(stat, feature)))
        kind = table.schema.field(name).type
        new = pa.array([_stored(stat, stats, kind) for stats in of_episode.values()], kind)
        column = pa.concat_arrays([table[name].combine_chunks(), new]).take(pa.array(order))
        table = table.set_column(table.column_names.index(name), table.schema.field(name), column)
    return table


def _stored(stat: str, stats: Stats, kind: pa.DataType) -> list[Any]:
    if stat == "count":
        return [stats.count]
    values = stats.quantiles[stat] if stat in stats.quantiles else getattr(stats, stat)
    while pa.types.is_nested(kind):
        kind = kind.value_type
    return values.astype(kind.to_pandas_dtype()).tolist()


def _kind(stat: str, feature: Mapping[str, Any]) -> pa.DataType:
    if stat == "count":
        return pa.list_(pa.int64())
    kind = pa.int64() if stat in ("min", "max") and "int" in feature["dtype"] else pa.float64()
    for _ in range(3 if feature["dtype"] in ("video", "image") else len(feature["shape"])):
        kind = pa.list_(kind)
    return kind
