"""Reads LeRobot v2.0 and v2.1: a table and a video per episode, JSON lines beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError
from etude.core.stats import Stats
from etude.data.episodes import Episodes
from etude.data.formats.lerobot_v21.config import Config
from etude.data.lerobot import header as headers
from etude.data.lerobot.contents import Clips, Contents
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import Header
from etude.data.lerobot.stats_file import read_stats


def build(config: Config, root: Path) -> LeRobotDataset:
    """Open the dataset in `root`; raise `DatasetError` when a file of it is missing or damaged."""
    del config
    header = headers.read(root)
    episodes = _episodes(root)
    contents = Contents(
        episodes=episodes,
        tasks=_tasks(root),
        stats=_stats(root),
        tables=[root / _filled(header.data_path, header, index) for index in episodes.indices.tolist()],
        clips={key: _clips(root, header, episodes, key) for key in header.cameras("video")},
    )
    return LeRobotDataset(root, "lerobot_v21", header, contents)


def _episodes(root: Path) -> Episodes:
    lines = sorted(
        _lines(root / "meta/episodes.jsonl", "episode_index", "length"), key=lambda line: line["episode_index"]
    )
    numbered = Episodes.in_a_row((line["length"] for line in lines), lambda number: lines[number].get("tasks", ()))
    return Episodes(
        np.array([line["episode_index"] for line in lines]), numbered.start, numbered.length, numbered.tasks
    )


def _tasks(root: Path) -> list[str]:
    lines = _lines(root / "meta/tasks.jsonl", "task_index", "task")
    return [line["task"] for line in sorted(lines, key=lambda line: line["task_index"])]


def _clips(root: Path, header: Header, episodes: Episodes, key: str) -> Clips:
    if header.video_path is None:
        raise DatasetError(root / headers.FILE, f"declares the video '{key}' and no video_path. Restore the file.")
    paths = [root / _filled(header.video_path, header, index, key) for index in episodes.indices.tolist()]
    file = np.arange(len(paths))
    return Clips(paths=paths, file=file, start=np.zeros_like(file), length=episodes.length)


def _filled(template: str, header: Header, episode: int, key: str = "") -> str:
    chunk = episode // header.chunks_size
    return template.format(episode_chunk=chunk, episode_index=episode, video_key=key)


def _stats(root: Path) -> dict[str, Stats]:
    """Merge the episodes' statistics (v2.1), or read those of the whole dataset (v2.0)."""
    path = root / "meta/episodes_stats.jsonl"
    if not path.exists():
        return read_stats(root)
    parts = [line["stats"] for line in _lines(path, "stats")]
    keys = parts[0] if parts else ()
    return {key: Stats.merge([Stats.from_json(part[key]) for part in parts]) for key in keys}


def _lines(path: Path, *needed: str) -> Iterator[Mapping[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DatasetError(path, f"cannot be read ({error.strerror}). Copy it again.") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            stored = json.loads(line)
        except ValueError as error:
            raise DatasetError(path, f"line {number} is not JSON ({error}). Copy the file again.") from error
        if any(name not in stored for name in needed):
            raise DatasetError(path, f"line {number} lacks {' or '.join(needed)}. Copy the file again.")
        yield stored
