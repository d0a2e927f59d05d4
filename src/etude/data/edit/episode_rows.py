"""The episodes table of a new version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.stats import Stats
from etude.data.edit.frames import new_columns, rows_of
from etude.data.edit.measure import Measure
from etude.data.edit.plan import Plan, Tell
from etude.data.edit.source import Source
from etude.data.edit.tasks import Tasks
from etude.data.edit.videos import Clip
from etude.data.formats.lerobot_v3.layout import Place
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES

_SHIFTED = ("min", "max", "mean", "q01", "q10", "q50", "q90", "q99")
_TEXT = ("string", "language")


def episode_rows(
    plan: Plan, tasks: Tasks, data: Sequence[Place], clips: Mapping[str, Sequence[Clip]], tell: Tell
) -> pa.Table:
    """Lay out a row per new episode: what was known of it, where it is now, and statistics."""
    table = _carried(plan)
    table = _with_stats(table, plan, tasks, tell)
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
    for key, found in clips.items():
        places = {"chunk_index": [clip.place[0] for clip in found], "file_index": [clip.place[1] for clip in found]}
        times = {name: [getattr(clip, name) for clip in found] for name in ("from_timestamp", "to_timestamp")}
        facts |= {f"videos/{plan.keys[key]}/{name}": values for name, values in (places | times).items()}
    for name, values in facts.items():
        table = _with_column(table, name, values)
    return table


def _carried(plan: Plan) -> pa.Table:
    """Take each new episode's old row, without what belongs to keys that are dropped."""
    parts = []
    for number, source in enumerate(plan.sources):
        rows = np.array([each.episode for each in plan.kept if each.source == number], np.int64)
        table = source.rows.take(pa.array(rows))
        gone = [name for name in table.column_names if _key_of(name) in source.features.keys() - plan.keys.keys()]
        parts.append(table.drop_columns(gone) if gone else table)
    table = pa.concat_tables(parts, promote_options="permissive")
    owner = np.array([each.source for each in plan.kept], np.int64)
    order = np.argsort(np.argsort(owner, kind="stable"), kind="stable")
    return table.take(pa.array(order)).combine_chunks()


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


def _with_stats(table: pa.Table, plan: Plan, tasks: Tasks, tell: Tell) -> pa.Table:
    """Measure what was cut; elsewhere only the numbers that tell where rows are have changed, all by the same."""
    table = _shifted(table, "index", _moved(plan, plan.starts[:-1], lambda source: source.first_row))
    old_numbers = np.array([kept.episode for kept in plan.kept], np.int64)
    table = _shifted(table, "episode_index", np.arange(len(plan.kept)) - old_numbers)
    measured: dict[str, dict[int, Stats]] = {}
    measure = Measure(plan)
    unmeasured = {number for number, source in enumerate(plan.sources) if not _is_measured(plan, source)}
    for number, kept in enumerate(plan.kept):
        is_whole = plan.is_whole(kept) and (plan.keeps_all_rows or kept.source not in unmeasured)
        if is_whole and _keeps_numbers(plan, tasks, number):
            continue
        rows = rows_of(plan.sources[kept.source], kept)
        columns = new_columns(plan, tasks, number, rows["task_index"].to_numpy())
        found = {"task_index": Stats.of(columns["task_index"][:, None])}
        found = found if is_whole else measure.episode(number, columns)
        for key, stats in found.items():
            measured.setdefault(key, {})[number] = stats
        tell(number, len(plan.kept))
    for key, of_episode in measured.items():
        table = _replaced(table, key, plan.sources[0].features[key], of_episode)
    return table


def _moved(plan: Plan, new: np.ndarray, old: Any) -> np.ndarray:
    before = [old(plan.sources[kept.source])[kept.episode] for kept in plan.kept]
    return new - np.array(before, np.int64)


def _is_measured(plan: Plan, source: Source) -> bool:
    wanted = [key for key in plan.keys if source.features[key]["dtype"] not in _TEXT]
    return all(f"stats/{key}/mean" in source.rows.column_names for key in wanted)


def _keeps_numbers(plan: Plan, tasks: Tasks, number: int) -> bool:
    """Whether the tasks of a new episode have the numbers that they had in its source."""
    kept = plan.kept[number]
    new = tasks.numbers(plan, kept)
    stored = plan.sources[kept.source].rows["tasks"][kept.episode].as_py()
    known = {text: index for index, text in enumerate(plan.sources[kept.source].tasks)}
    return all(text in known and new[known[text]] == known[text] for text in stored)


def _shifted(table: pa.Table, key: str, by: np.ndarray) -> pa.Table:
    """Add to the statistics of a column of one number what was added to all its values."""
    for name in (f"stats/{key}/{stat}" for stat in _SHIFTED):
        if name in table.column_names and by.any() and not table[name].null_count:
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
