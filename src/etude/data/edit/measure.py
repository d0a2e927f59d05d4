"""Statistics of a new version: those that were known, and those of what was cut, measured again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.stats import Stats
from etude.data.edit.frames import rows_of
from etude.data.edit.plan import Plan, Tell
from etude.data.edit.source import Source
from etude.data.edit.tasks import Tasks, task_column
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES
from etude.data.lerobot import tables
from etude.data.lerobot.header import spec_of
from etude.data.lerobot.measure import measured as of_rows
from etude.data.lerobot.stats_file import merge_episodes
from etude.data.opening import open_dataset

_TEXT = ("string", "language")
_PICTURES = ("video", "image")

Measured = Mapping[int, Mapping[str, Stats]]
"""Statistics that are not those of the source: per new episode, and old key."""


def measured(plan: Plan, tasks: Tasks, tell: Tell) -> dict[int, dict[str, Stats]]:
    """Measure episodes that were cut or never measured, and the task numbers of those where they change."""
    found: dict[int, dict[str, Stats]] = {}
    unmeasured = {number for number, source in enumerate(plan.sources) if not _is_measured(plan, source)}
    datasets = lru_cache(maxsize=4)(lambda number: open_dataset(plan.sources[number].root))
    for number, kept in enumerate(plan.kept):
        if plan.is_whole(kept) and (plan.keeps_all_rows or kept.source not in unmeasured):
            if not tasks.keep_numbers(plan, kept):
                found[number] = {"task_index": Stats.of(task_column(plan, tasks, kept)[:, None])}
            continue
        found[number] = _episode(plan, tasks, number, datasets(kept.source))
        tell(number, len(plan.kept))
    return found


def merged(plan: Plan, rows: pa.Table) -> dict[str, Stats]:
    """Merge the statistics of all rows of a new episodes table; keys that were not measured everywhere are left out."""
    described = {new: plan.sources[0].features[old] for old, new in plan.keys.items()}
    known = set(rows.column_names)
    keys = {key: list(_column(rows, known, key, feature)) for key, feature in described.items()}
    return merge_episodes([{key: parts[row] for key, parts in keys.items() if parts} for row in range(len(rows))])


def _episode(plan: Plan, tasks: Tasks, number: int, dataset: Any) -> dict[str, Stats]:
    kept = plan.kept[number]
    source, tick = plan.sources[kept.source], np.arange(len(kept))
    columns = {
        "timestamp": tick / plan.sources[0].fps,
        "frame_index": tick,
        "episode_index": np.full(len(kept), number),
        "index": plan.starts[number] + tick,
        "task_index": task_column(plan, tasks, kept),
    }
    found = {key: Stats.of(values[:, None]) for key, values in columns.items()}
    table, first = rows_of(source, kept), int(source.first_row[kept.episode]) + kept.start
    for key in plan.keys:
        feature = source.features[key]
        if feature["dtype"] in _PICTURES and key in dataset.specs:
            found[key] = of_rows(dataset, key, first, first + len(kept))
        elif feature["dtype"] not in (*_TEXT, *_PICTURES) and key not in columns:
            found[key] = Stats.of(tables.to_numpy(table[key], tuple(feature["shape"])))
    return found


def _is_measured(plan: Plan, source: Source) -> bool:
    wanted = [key for key in plan.keys if source.features[key]["dtype"] not in _TEXT]
    return all(f"stats/{key}/mean" in source.rows.column_names for key in wanted)


def _column(rows: pa.Table, known: set[str], key: str, feature: Mapping[str, Any]) -> Iterator[Stats]:
    """Read the statistics of one key, row by row; nothing when a row lacks some."""
    names = [name for name in STAT_NAMES if f"stats/{key}/{name}" in known]
    columns = {name: rows[f"stats/{key}/{name}"] for name in names}
    if "mean" not in columns or any(column.null_count for column in columns.values()):
        return
    shape = (spec_of(feature).shape[2], 1, 1) if feature["dtype"] in _PICTURES else tuple(feature["shape"])
    values = {
        name: tables.to_numpy(column, (1,) if name == "count" else shape).astype(np.float64)
        for name, column in columns.items()
    }
    for row in range(len(rows)):
        yield Stats.from_json({name: array[row] for name, array in values.items()})
