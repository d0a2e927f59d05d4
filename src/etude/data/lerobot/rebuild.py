"""Building a dataset out of the whole episodes of a damaged one; files of which nothing is lost are linked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.files import write_json
from etude.core.stats import Stats
from etude.data.formats.lerobot_v3 import reader
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.layout import EPISODES_PATH, after, path_of, place_of
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES, TASKS_FILE, episode_row, tasks_table
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Clip
from etude.data.lerobot.footage import write_videos
from etude.data.lerobot.header import DEFAULT_FEATURES
from etude.data.lerobot.measure import measured
from etude.data.lerobot.remains import FrameTable, Remains, Run, Shots
from etude.data.lerobot.stats_file import merge_episodes, write_stats
from etude.data.versions import link, link_tree

_REBUILT = ("data", "videos", "images", "meta")
_BESIDE_TABLES = ("timing", "sketches")
"""Folders under `meta/etude` with a file for each frame table."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An episode that is kept, and its place among the others."""

    run: Run
    shots: Mapping[str, Shots]
    number: int
    first_index: int

    @property
    def is_moved(self) -> bool:
        """Whether its numbers are no longer those that it was recorded with."""
        return (self.number, self.first_index) != (self.run.number, self.run.first_index)


def rebuild(remains: Remains, kept: list[Kept], draft: Path, progress: Callable[[int, int], None]) -> None:
    """Fill the folder `draft` with the episodes of `remains` that are kept."""
    clips = {key: write_videos(remains.header, key, [each.shots[key] for each in kept], draft) for key in remains.shots}
    for table in remains.tables:
        _write_frames(remains, table, [each for each in kept if each.run.table is table], draft)
    tasks = _all_tasks(remains, kept)
    tables.write(draft / TASKS_FILE, tasks_table(tasks))
    _write_header(remains, kept, len(tasks), draft)
    link_tree(remains.root, draft, lambda path: path.parts[0] not in _REBUILT)
    facts = [_facts(remains, each, {key: clips[key][each.number] for key in clips}, tasks) for each in kept]
    _write_episodes(remains, draft, facts, [{} for _ in kept])
    stats = list(_stats(remains, kept, draft, progress))
    _write_episodes(remains, draft, facts, stats)
    write_stats(draft, merge_episodes(stats))


def _write_episodes(remains: Remains, draft: Path, facts: list[dict[str, Any]], stats: list[dict[str, Stats]]) -> None:
    features = remains.header.features
    own = after(map(place_of, reader.episodes_files(remains.root)), remains.header.chunks_size)
    rows = [
        episode_row(told, measured, {key: features[key] for key in features if key in measured}, own)
        for told, measured in zip(facts, stats, strict=True)
    ]
    tables.write(draft / path_of(EPISODES_PATH, own), pa.concat_tables(rows, promote_options="permissive"))


def _stats(
    remains: Remains, kept: list[Kept], draft: Path, progress: Callable[[int, int], None]
) -> Iterator[dict[str, Stats]]:
    """Give each episode's statistics: as the episodes table had them, else measured in what was put together."""
    dataset, header = reader.build(Config(), draft), remains.header
    wanted = [*header.columns(), *header.cameras("video"), *header.cameras("image")]
    for each in kept:
        row = remains.rows.get(each.run.number, {})
        span = each.first_index, each.first_index + len(each.run)
        stored = {key: _stored(row, key) for key in wanted if not (each.is_moved and key in DEFAULT_FEATURES)}
        yield {key: stored.get(key) or measured(dataset, key, *span) for key in wanted}
        progress(each.number + 1, len(kept))


def _write_frames(remains: Remains, table: FrameTable, kept: list[Kept], draft: Path) -> None:
    """Bring the kept rows of one file over, numbered anew."""
    relative = table.path.relative_to(remains.root)
    is_all = sum(len(each.run) for each in kept) == len(table.columns) and not any(each.is_moved for each in kept)
    if is_all and table.is_whole:
        link(table.path, draft / relative)
        for name in _BESIDE_TABLES:
            beside = Path("meta/etude", name, *relative.parts[1:])
            if (remains.root / beside).exists():
                link(remains.root / beside, draft / beside)
    elif kept:
        rows = table.read()
        parts = [_renumbered(rows.slice(each.run.start, len(each.run)), each) for each in kept]
        tables.write(draft / relative, pa.concat_tables(parts))


def _renumbered(rows: pa.Table, episode: Kept) -> pa.Table:
    columns = {
        "episode_index": np.full(len(rows), episode.number),
        "index": episode.first_index + np.arange(len(rows)),
    }
    for name, values in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), [pa.array(values)])
    return rows


def _all_tasks(remains: Remains, kept: list[Kept]) -> list[str]:
    """Give the task texts, with one for every number that a row has."""
    used = max(int(_numbers(each.run).max()) for each in kept)
    return remains.tasks + [f"unknown task {number}" for number in range(len(remains.tasks), used + 1)]


def _numbers(run: Run) -> np.ndarray:
    return run.table.columns["task_index"].to_numpy()[run.start : run.stop]


def _facts(remains: Remains, episode: Kept, clips: Mapping[str, Clip], tasks: list[str]) -> dict[str, Any]:
    fps, (chunk, file) = remains.header.fps, place_of(episode.run.table.path)
    facts: dict[str, Any] = {
        "episode_index": episode.number,
        "tasks": [tasks[number] for number in dict.fromkeys(_numbers(episode.run).tolist())],
        "length": len(episode.run),
        "data/chunk_index": chunk,
        "data/file_index": file,
        "dataset_from_index": episode.first_index,
        "dataset_to_index": episode.first_index + len(episode.run),
    }
    for key, clip in clips.items():
        chunk, file = place_of(clip.path)
        place = {"chunk_index": chunk, "file_index": file}
        times = {"from_timestamp": clip.start / fps, "to_timestamp": (clip.start + clip.length) / fps}
        facts |= {f"videos/{key}/{name}": value for name, value in (place | times).items()}
    return facts


def _write_header(remains: Remains, kept: list[Kept], num_tasks: int, draft: Path) -> None:
    """Correct the counters; whatever else the header holds stays."""
    stored = json.loads((remains.root / headers.FILE).read_text(encoding="utf-8"))
    counters = {"total_episodes": len(kept), "total_frames": sum(len(each.run) for each in kept)}
    stored |= counters | {"total_tasks": num_tasks, "splits": {"train": f"0:{len(kept)}"}}
    write_json(draft / headers.FILE, stored, indent=4)


def _stored(row: Mapping[str, Any], key: str) -> Stats | None:
    stored = {name: row.get(f"stats/{key}/{name}") for name in STAT_NAMES}
    return None if any(value is None for value in stored.values()) else Stats.from_json(stored)
