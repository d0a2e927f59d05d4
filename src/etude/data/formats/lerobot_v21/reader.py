"""Reads LeRobot v2.0 and v2.1: a table and a video per episode, JSON lines beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError
from etude.core.stats import Stats
from etude.data.episodes import Episodes
from etude.data.formats.lerobot_v21.config import Config
from etude.data.lerobot import header as headers
from etude.data.lerobot.contents import Clips, Contents, Files
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import Header
from etude.data.lerobot.stats_file import merge_episodes, read_stats

_MERGED_AT_ONCE = 1000
"""Episodes whose statistics are in memory together."""


def build(config: Config, root: Path) -> LeRobotDataset:
    """Open the dataset in `root`; raise `DatasetError` when a file of it is missing or damaged."""
    del config
    header = headers.read(root)
    episodes = _episodes(root)
    contents = Contents(
        episodes=episodes,
        tables=_files(root, header.data_path, header, episodes),
        table=np.arange(len(episodes)),
        clips={key: _clips(root, header, episodes, key) for key in header.cameras("video")},
        read_tasks=lambda: _tasks(root),
        read_stats=lambda: _stats(root),
    )
    return LeRobotDataset(root, "lerobot_v21", header, contents)


def _episodes(root: Path) -> Episodes:
    index, length, tasks = [], [], []
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line in _lines(root / "meta/episodes.jsonl", "episode_index", "length"):
        index.append(line["episode_index"])
        length.append(line["length"])
        told = tuple(line.get("tasks", ()))
        tasks.append(seen.setdefault(told, told))
    order = np.argsort(np.array(index, np.int64), kind="stable")
    numbers, lengths = np.array(index, np.int64)[order], np.array(length, np.int64)[order]
    return Episodes(numbers, np.cumsum(lengths) - lengths, lengths, lambda number: tasks[order[number]])


def _tasks(root: Path) -> list[str]:
    lines = _lines(root / "meta/tasks.jsonl", "task_index", "task")
    return [line["task"] for line in sorted(lines, key=lambda line: line["task_index"])]


def _clips(root: Path, header: Header, episodes: Episodes, key: str) -> Clips:
    if header.video_path is None:
        raise DatasetError(root / headers.FILE, f"declares the video '{key}' and no video_path. Restore the file.")
    paths = _files(root, header.video_path, header, episodes, key)
    file = np.arange(len(paths))
    return Clips(paths=paths, file=file, start=np.zeros_like(file), length=episodes.length)


def _files(root: Path, template: str, header: Header, episodes: Episodes, key: str = "") -> Files:
    """Name the file of each episode when it is looked at: a hundred thousand paths are slow to make."""

    def path_of(number: int) -> Path:
        episode = int(episodes.indices[number])
        chunk = episode // header.chunks_size
        return root / template.format(episode_chunk=chunk, episode_index=episode, video_key=key)

    return Files(len(episodes), path_of)


def _stats(root: Path) -> dict[str, Stats]:
    """Merge the episodes' statistics (v2.1), or read those of the whole dataset (v2.0)."""
    path = root / "meta/episodes_stats.jsonl"
    if not path.exists():
        return read_stats(root)
    lines = (line["stats"] for line in _lines(path, "stats"))
    merged = []
    while parts := list(islice(lines, _MERGED_AT_ONCE)):
        merged.append(merge_episodes([{key: Stats.from_json(each) for key, each in part.items()} for part in parts]))
    return merge_episodes(merged)


def _lines(path: Path, *needed: str) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _line(path, number, line, needed)
    except OSError as error:
        raise DatasetError(path, f"cannot be read ({error.strerror}). Copy it again.") from error


def _line(path: Path, number: int, line: str, needed: tuple[str, ...]) -> Mapping[str, Any]:
    try:
        stored = json.loads(line)
    except ValueError as error:
        raise DatasetError(path, f"line {number} is not JSON ({error}). Copy the file again.") from error
    if any(name not in stored for name in needed):
        raise DatasetError(path, f"line {number} lacks {' or '.join(needed)}. Copy the file again.")
    return stored
