"""Adds finished episodes to a LeRobot v3.0 dataset: each makes a new version, which shares all older files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from etude.core.files import sync_file
from etude.core.stats import Stats
from etude.data.formats.lerobot_v3 import layout, metadata, reader
from etude.data.formats.lerobot_v3.layout import Place, after, path_of
from etude.data.lerobot import header as headers
from etude.data.lerobot import stats_file, tables
from etude.data.lerobot.header import Header
from etude.data.lerobot.stats_file import read_stats, write_stats
from etude.data.lerobot.timing import timing_file, write_timing
from etude.data.recording import Take
from etude.data.sketches import sketches_file, sketches_of, write_sketches
from etude.data.versions import link, link_tree, new_version

ROWS_PER_FILE = 50
"""Rows of one file of the episodes table while recording; each commit writes the last file anew."""


_WRITTEN_ANEW = {headers.FILE, stats_file.FILE, metadata.TASKS_FILE}
"""Files of every version; other programs change them in place, so versions do not share them."""


class Committed:
    """What a dataset holds for good, and where the next episode goes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.refresh()

    def refresh(self) -> None:
        """Look at the files: somebody may have regrouped them, or a crash have left rows that nothing counts."""
        root, self.header = self._root, headers.read(self._root)
        self._cameras = self.header.cameras("video")
        self._tasks = metadata.read_tasks(root)[: self.header.total_tasks]
        self._stats = reader.committed_stats(root, self.header) or read_stats(root)
        _forget_uncommitted(root, self.header)
        self._places = _next_places(root, self.header, self._cameras)
        self._rows: list[pa.Table] = []

    def add(self, take: Take, task: str) -> None:
        """Commit an episode in one instant, or, when this fails, leave the dataset and `take` as they were."""
        old = self.header
        tasks = self._tasks if task in self._tasks else [*self._tasks, task]
        columns = take.columns | _default_columns(old, len(take), tasks.index(task))
        stats = take.stats | _numbers_stats(columns, old.fps)
        rows = [*self._rows, self._row(take, task, stats)]
        merged = _merged(self._stats, stats) if old.total_episodes else stats
        header = replace(
            old,
            total_episodes=old.total_episodes + 1,
            total_frames=old.total_frames + len(take),
            total_tasks=len(tasks),
        )
        with new_version(self._root, "record", is_edit=False) as folder:
            link_tree(self._root, folder, lambda path: path not in _WRITTEN_ANEW)
            self._place(folder, take, columns)
            tables.write(folder / path_of(layout.EPISODES_PATH, self._places["episodes"]), pa.concat_tables(rows))
            tables.write(folder / metadata.TASKS_FILE, metadata.tasks_table(tasks))
            write_stats(folder, merged)
            layout.write_header(folder, header)
        self.header, self._tasks, self._stats = header, tasks, merged
        self._go_on(rows)

    def _go_on(self, rows: list[pa.Table]) -> None:
        """Choose the places of the next episode."""
        self._rows = rows if len(rows) < ROWS_PER_FILE else []
        filled = ["data", *self._cameras] + ([] if self._rows else ["episodes"])
        self._places |= {name: after([self._places[name]], self.header.chunks_size) for name in filled}

    def _place(self, folder: Path, take: Take, columns: Mapping[str, np.ndarray]) -> None:
        path = folder / path_of(self.header.data_path, self._places["data"])
        tables.write(path, metadata.data_table(self.header.features, columns))
        write_timing(timing_file(folder, path), take.timing)
        write_sketches(sketches_file(folder, path), {self.header.total_episodes: sketches_of(take.stats)})
        for key, source in take.videos.items():
            sync_file(source)  # a version takes for granted that what it links is on the disk
            link(source, folder / path_of(self.header.video_path or "", self._places[key], key))

    def _row(self, take: Take, task: str, stats: Mapping[str, Stats]) -> pa.Table:
        header, (chunk, file) = self.header, self._places["data"]
        facts: dict[str, Any] = {
            "episode_index": header.total_episodes,
            "tasks": [task],
            "length": len(take),
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": header.total_frames,
            "dataset_to_index": header.total_frames + len(take),
        }
        for key in self._cameras:
            chunk, file = self._places[key]
            clip = {"chunk_index": chunk, "file_index": file, "from_timestamp": 0.0}
            clip["to_timestamp"] = len(take) / header.fps
            facts |= {f"videos/{key}/{name}": value for name, value in clip.items()}
        return metadata.episode_row(facts, stats, header.features, self._places["episodes"])


def _merged(old: Mapping[str, Stats], new: Mapping[str, Stats]) -> dict[str, Stats]:
    """Merge what both have; what was never measured before cannot be known for the whole."""
    return {key: Stats.merge([old[key], part]) for key, part in new.items() if key in old}


def _default_columns(header: Header, num_frames: int, task_index: int) -> dict[str, np.ndarray]:
    tick = np.arange(num_frames)
    return {
        "timestamp": (tick / header.fps).astype(np.float32),
        "frame_index": tick,
        "episode_index": np.full(num_frames, header.total_episodes),
        "index": header.total_frames + tick,
        "task_index": np.full(num_frames, task_index),
    }


def _numbers_stats(columns: Mapping[str, np.ndarray], fps: int) -> dict[str, Stats]:
    """Measure the default columns, time before it is rounded to float32; nobody needs sketches of them."""
    exact = {key: columns[key] for key in headers.DEFAULT_FEATURES} | {"timestamp": columns["frame_index"] / fps}
    return {key: replace(Stats.of(values[:, None]), sketch=None) for key, values in exact.items()}


def _next_places(root: Path, header: Header, cameras: list[str]) -> dict[str, Place]:
    """Find the first free file of every kind; what a crash left beyond the committed episodes counts as free."""
    table = reader.episodes_table(root, header)

    def following(prefix: str) -> Place:
        columns = (table[f"{prefix}/{name}"].to_pylist() for name in ("chunk_index", "file_index"))
        return after(zip(*columns, strict=True), header.chunks_size)

    used = map(layout.place_of, reader.episodes_files(root))
    places = {"data": following("data"), "episodes": after(used, header.chunks_size)}
    return places | {key: following(f"videos/{key}") for key in cameras}


def _forget_uncommitted(root: Path, header: Header) -> None:
    """Cut rows that a crash left in the episodes table before they were committed."""
    for path in reader.episodes_files(root):
        table = tables.read(path)
        kept = table.filter(pa.array(table["episode_index"].to_numpy() < header.total_episodes))
        if not len(kept):
            path.unlink()
        elif len(kept) < len(table):
            tables.write(path, kept)
