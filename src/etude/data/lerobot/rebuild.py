"""Building a dataset out of the whole episodes of a damaged one; files of which nothing is lost are linked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.core.stats import Stats
from etude.data.formats.lerobot_v3.layout import EPISODES_PATH, after, path_of
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES, TASKS_FILE, episode_row, tasks_table
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.image_stats import histogram, image_stats, sampled_frames
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Clip
from etude.data.lerobot.footage import pictures, place_of, write_videos
from etude.data.lerobot.header import DEFAULT_FEATURES
from etude.data.lerobot.remains import FrameTable, Remains, Run, Shots
from etude.data.lerobot.stats_file import write_stats
from etude.data.versions import link, link_tree
from etude.data.video import OpenVideos

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
    measure = _Measure(remains)
    stats: list[dict[str, Stats]] = []
    rows: list[pa.Table] = []
    own = after(map(place_of, episodes_files(remains.root)), remains.header.chunks_size)
    for each in kept:
        stats.append(measure.stats(each))
        facts = _facts(remains, each, {key: clips[key][each.number] for key in clips}, tasks)
        features = {key: remains.header.features[key] for key in stats[-1]}
        rows.append(episode_row(facts, stats[-1], features, own))
        progress(each.number + 1, len(kept))
    tables.write(draft / path_of(EPISODES_PATH, own), pa.concat_tables(rows, promote_options="permissive"))
    tables.write(draft / TASKS_FILE, tasks_table(tasks))
    write_stats(draft, {key: Stats.merge([part[key] for part in stats]) for key in stats[0]})
    link_tree(remains.root, draft, lambda path: path.parts[0] not in _REBUILT)
    _write_header(remains, kept, len(tasks), draft)


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


class _Measure:
    """Gives each episode's statistics: as the episodes table has them, else measured anew."""

    def __init__(self, remains: Remains) -> None:
        self._remains, self._header, self._videos = remains, remains.header, OpenVideos()
        self._vectors, self._films = self._header.columns(), self._header.cameras("video")
        self._packed = self._header.cameras("image")
        self._read: tuple[FrameTable, pa.Table] | None = None

    def stats(self, episode: Kept) -> dict[str, Stats]:
        """Give the statistics per key, in the order of the features; text and depth have none."""
        row = self._remains.rows.get(episode.run.number, {})
        wanted = [*self._vectors, *self._films, *self._packed]
        found = {key: _stored(row, key) for key in wanted if not (episode.is_moved and key in DEFAULT_FEATURES)}
        measured = {key: found.get(key) or self._measured(episode, key) for key in wanted}
        return {key: measured[key] for key in self._header.features if key in measured}

    def _measured(self, episode: Kept, key: str) -> Stats:
        if key in self._films:
            ticks = sampled_frames(len(episode.run))
            return _of_pictures(len(episode.run), ticks, pictures(episode.shots[key], ticks, self._videos))
        rows = self._rows(episode)
        if key in self._packed:
            path = episode.run.table.path
            ticks = sampled_frames(len(rows))
            return _of_pictures(len(rows), ticks, (_unpacked(rows[key][tick].as_py(), path) for tick in ticks.tolist()))
        return Stats.of(tables.to_numpy(rows[key], tuple(self._header.features[key]["shape"])))

    def _rows(self, episode: Kept) -> pa.Table:
        run = episode.run
        if self._read is None or self._read[0] is not run.table:
            self._read = run.table, run.table.read([*self._vectors, *self._packed])
        return _renumbered(self._read[1].slice(run.start, len(run)), episode)


def _stored(row: Mapping[str, Any], key: str) -> Stats | None:
    stored = {name: row.get(f"stats/{key}/{name}") for name in STAT_NAMES}
    return None if any(value is None for value in stored.values()) else Stats.from_json(stored)


def _of_pictures(num_frames: int, ticks: np.ndarray, sampled: Iterator[np.ndarray]) -> Stats:
    counted = [histogram(picture) for picture in sampled]
    histograms = np.zeros((num_frames, *counted[0].shape), np.uint32)
    histograms[ticks] = counted
    return image_stats(histograms)


def _unpacked(value: Mapping[str, Any], path: Path) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(value["bytes"] or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DatasetError(path, "holds a picture that is damaged. Copy the dataset again.")
    return picture
