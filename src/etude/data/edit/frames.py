"""The frame tables of a new version: rows of the old ones, with every column they have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.errors import DatasetError
from etude.data.edit.groups import Unit, grouped, linked, placed
from etude.data.edit.plan import Kept, Plan, Tell
from etude.data.edit.source import Source
from etude.data.edit.tasks import Tasks
from etude.data.formats.lerobot_v3.layout import Place, path_of
from etude.data.lerobot import tables
from etude.data.lerobot.timing import timing_file
from etude.data.sketches import sketches_file
from etude.data.timing import IS_LATE, NOTHING, TIME, TROUBLE
from etude.data.versions import link


def write_frames(plan: Plan, tasks: Tasks, folder: Path, used: Sequence[Place], tell: Tell) -> list[Place]:
    """Write or link the frame tables, and give each new episode's place."""
    source = plan.sources[0]
    groups = list(grouped(_units(plan, tasks), source.limit("data"), is_compact=plan.is_compact))
    places = placed(groups, used, source.header.chunks_size, in_order=True)
    of_episode: list[Place] = []
    for group, place in zip(groups, places, strict=True):
        numbers = [number for unit in group for number in unit.numbers]
        _write(plan, tasks, numbers, linked(group), folder, place)
        of_episode += [place] * len(numbers)
        tell(len(of_episode), len(plan.kept))
    return of_episode


def rows_of(source: Source, kept: Kept) -> pa.Table:
    """Read the kept rows of an episode."""
    table, first = source.table(source.data_path(source.data.place(kept.episode))), int(source.data.start[kept.episode])
    part = table.slice(first + kept.start, len(kept))
    if len(part) != len(kept) or (part["episode_index"].to_numpy() != kept.episode).any():
        path = source.data_path(source.data.place(kept.episode))
        raise DatasetError(path, f"does not hold the rows of episode {kept.episode}. See: etude dataset check.")
    return part


def _units(plan: Plan, tasks: Tasks) -> Iterator[Unit]:
    number = 0
    while number < len(plan.kept):
        kept = plan.kept[number]
        source = plan.sources[kept.source]
        place = source.data.place(kept.episode)
        path = source.data_path(place)
        episodes = source.data.episodes_of[place]
        size = path.stat().st_size if path.exists() else 0
        numbers = tuple(range(number, number + len(episodes)))
        if _is_unchanged(plan, tasks, numbers, episodes, path):
            yield Unit(numbers=numbers, size=size, file=path, place=place if plan.continues else None)
            number += len(episodes)
            continue
        share = len(kept) / max(int(source.length[episodes].sum()), 1)
        yield Unit(numbers=(number,), size=round(size * share))
        number += 1


def _is_unchanged(plan: Plan, tasks: Tasks, numbers: Sequence[int], episodes: Sequence[int], path: Path) -> bool:
    """Whether a table that holds `episodes` would be the same as one that holds the new episodes `numbers`."""
    first = plan.kept[numbers[0]]
    source = plan.sources[first.source]
    kept = plan.kept[numbers[0] : numbers[-1] + 1]
    old_tasks = list(range(len(source.tasks)))
    return (
        [(each.source, each.episode) for each in kept] == [(first.source, episode) for episode in episodes]
        and list(numbers) == list(episodes)
        and plan.starts[numbers[0]] == source.first_row[first.episode]
        and all(plan.is_whole(each) for each in kept)
        and list(plan.keys.items()) == [(key, key) for key in source.features]
        and all(_same_where_used(tasks.numbers(plan, each), old_tasks) for each in kept)
        and tables.num_rows(path) == int(source.length[list(episodes)].sum())
    )


def _same_where_used(new: np.ndarray, old: Sequence[int]) -> bool:
    return all(number in (-1, before) for number, before in zip(new.tolist(), old, strict=True))


def _write(plan: Plan, tasks: Tasks, numbers: Sequence[int], file: Path | None, folder: Path, place: Place) -> None:
    source = plan.sources[0]
    path = folder / path_of(source.header.data_path, place)
    if file is None:
        _write_groups(path, (_renumbered(plan, tasks, number) for number in numbers))
        _write_timing(plan, numbers, timing_file(folder, path))
        return
    link(file, path)
    old = plan.sources[plan.kept[numbers[0]].source].root
    for beside in (timing_file, sketches_file):
        if beside(old, file).exists():
            link(beside(old, file), beside(folder, path))


def _renumbered(plan: Plan, tasks: Tasks, number: int) -> pa.Table:
    """Give the rows of a new episode: the kept columns, and new numbers in those that tell where a row is."""
    kept = plan.kept[number]
    table = rows_of(plan.sources[kept.source], kept)
    for name, values in _new_columns(plan, tasks, number, table["task_index"].to_numpy()).items():
        at = table.column_names.index(name)
        table = table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type))
    dropped = [key for key in plan.sources[kept.source].features if key not in plan.keys and key in table.column_names]
    table = table.drop_columns(dropped) if dropped else table
    if not dropped and not plan.renames:
        return table
    renamed = table.rename_columns([plan.keys.get(name, name) for name in table.column_names])
    return renamed.replace_schema_metadata(_described(table.schema.metadata, plan.keys))


def _new_columns(plan: Plan, tasks: Tasks, number: int, old_tasks: np.ndarray) -> dict[str, np.ndarray]:
    """Give the columns that say where rows are, for all rows of a new episode."""
    kept, tick = plan.kept[number], np.arange(len(plan.kept[number]))
    task = tasks.numbers(plan, kept)[old_tasks]
    if len(task) and task.min() < 0:
        what = f"episode {kept.episode} has rows of a task that it does not list. See: etude dataset check."
        raise DatasetError(plan.sources[kept.source].root, what)
    return {
        "timestamp": (tick / plan.sources[0].fps).astype(np.float32),
        "frame_index": tick,
        "episode_index": np.full(len(tick), number),
        "index": plan.starts[number] + tick,
        "task_index": task,
    }


def _described(metadata: Mapping[bytes, bytes] | None, keys: Mapping[str, str]) -> dict[bytes, bytes]:
    """Rename and drop features in what Hugging Face `datasets` notes about the columns."""
    kept = dict(metadata or {})
    if b"huggingface" in kept:
        noted = json.loads(kept[b"huggingface"])
        features = noted.get("info", {}).get("features", {})
        noted.setdefault("info", {})["features"] = {keys[key]: value for key, value in features.items() if key in keys}
        kept[b"huggingface"] = json.dumps(noted).encode()
    return kept


def _write_groups(path: Path, parts: Iterator[pa.Table]) -> None:
    """Write one row group per part, as LeRobot does; columns are those of the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first = next(parts)
    with pq.ParquetWriter(path, first.schema, compression="snappy", use_dictionary=True) as writer:
        writer.write_table(first, row_group_size=max(len(first), 1))
        for part in parts:
            writer.write_table(_fitted(part, first.schema), row_group_size=max(len(part), 1))


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give the columns of `schema`, in its order and of its types."""
    if table.schema.names != schema.names:
        table = table.select(schema.names)
    return table.cast(schema)


def _write_timing(plan: Plan, numbers: Sequence[int], path: Path) -> None:
    """Carry the real times of rows, and say of rows whose times were not noted that they are not known."""
    parts = [_timing_of(plan.sources[plan.kept[number].source], plan.kept[number]) for number in numbers]
    names = list(dict.fromkeys(name for part in parts if part for name in part.column_names))
    kept = {name: plan.keys.get(name, name) for name in names if name in plan.keys or name in (TIME, IS_LATE, TROUBLE)}
    if not kept:
        return
    lengths = [len(plan.kept[number]) for number in numbers]
    columns = {
        new: np.concatenate([_times(part, old, length) for part, length in zip(parts, lengths, strict=True)])
        for old, new in kept.items()
    }
    tables.write(path, pa.table(columns))


def _times(part: pa.Table | None, name: str, length: int) -> np.ndarray:
    if part is not None and name in part.column_names:
        return part[name].to_numpy()
    return np.full(length, NOTHING.get(name, np.nan))


def _timing_of(source: Source, kept: Kept) -> pa.Table | None:
    path = timing_file(source.root, source.data_path(source.data.place(kept.episode)))
    if not path.exists():
        return None
    return source.table(path).slice(int(source.data.start[kept.episode]) + kept.start, len(kept))
