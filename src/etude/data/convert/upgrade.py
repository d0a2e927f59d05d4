"""LeRobot v2.0 and v2.1 to v3.0: tables written anew, videos copied picture by picture, nothing encoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etude.core.stats import Stats
from etude.data.convert.measures import Measures, StoredMeasures
from etude.data.convert.origin import Origin, write_origin
from etude.data.convert.rows import Tell, episode_rows, measured
from etude.data.convert.videos import Placed, join_videos
from etude.data.formats.lerobot_v3 import layout, metadata
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.layout import Place, after, path_of
from etude.data.formats.lerobot_v3.metadata import OWN_PLACE, STAT_NAMES
from etude.data.lerobot import tables
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.header import DEFAULT_FEATURES, Header
from etude.data.lerobot.schema import data_schema
from etude.data.lerobot.stats_file import merge_episodes, write_stats
from etude.data.versions import link, locked, new_version

_MERGED_AT_ONCE = 100
_ROWS_PER_FILE = 2000
"""Episodes in one file of the episodes table."""


def upgrade(source: LeRobotDataset, root: Path, origin: Origin, tell: Tell, *, is_measured: bool) -> tuple[str, ...]:
    """Make the dataset `root`: when this is done it is there whole, and before that not at all."""
    header = _header(source)
    cameras = [key for key, feature in header.features.items() if feature["dtype"] == "video"]
    steps = _Steps(len(source.episodes), 1 + len(cameras), tell)
    with locked(root) as workspace:
        measures = Measures(source, workspace) if is_measured else StoredMeasures(source)
        with new_version(root, "convert", is_edit=False) as draft:
            whole = _Whole()
            places, stats = _write_frames(source, header, draft, measures, whole, steps)
            clips = {key: join_videos(source, key, header, draft, steps.one) for key in cameras}
            _write_episodes(source, header, draft, places, stats, clips)
            tables.write(draft / metadata.TASKS_FILE, metadata.tasks_table(list(source.tasks)))
            write_stats(draft, whole.stats() | measures.whole())
            layout.write_header(draft, header)
            write_origin(draft, origin)
            _link_beside(source.root, draft)
        measures.forget()
    return ()


class _Steps:
    """Tells the progress in episodes, of which every camera is a part."""

    def __init__(self, num_episodes: int, parts: int, tell: Tell) -> None:
        self._num_episodes, self._parts, self._tell, self._done = num_episodes, parts, tell, 0

    def one(self) -> None:
        self._done += 1
        self._tell(self._done // self._parts, self._num_episodes)


class _Whole:
    """Merges the statistics of episodes to those of the dataset, some at a time."""

    def __init__(self) -> None:
        self._parts: list[Mapping[str, Stats]] = []

    def add(self, part: Mapping[str, Stats]) -> None:
        """Count in an episode."""
        self._parts.append(part)
        if len(self._parts) >= _MERGED_AT_ONCE:
            self._parts = [self.stats()]

    def stats(self) -> dict[str, Stats]:
        """Give the statistics of all that was added."""
        return merge_episodes(self._parts)


def _header(source: LeRobotDataset) -> Header:
    """Describe the dataset in v3.0; each column tells its rate, as LeRobot's own converter has it."""
    old, limits = source.header, Config()
    own = {key: feature for key, feature in old.features.items() if key not in DEFAULT_FEATURES}
    features = own | {key: old.features.get(key, feature) for key, feature in DEFAULT_FEATURES.items()}
    return Header(
        version="v3.0",
        fps=old.fps,
        features={key: dict(feature) | _rate(feature, old.fps) for key, feature in features.items()},
        total_episodes=len(source.episodes),
        total_frames=source.episodes.num_frames,
        total_tasks=len(source.tasks),
        data_path=layout.DATA_PATH,
        video_path=layout.VIDEO_PATH if old.video_path else None,
        robot_type=old.robot_type,
        sizes_in_mb={"data": limits.data_files_size_in_mb, "video": limits.video_files_size_in_mb},
    )


def _rate(feature: Mapping[str, Any], fps: int) -> dict[str, Any]:
    return {} if feature["dtype"] == "video" else {"fps": fps}


def _write_frames(
    source: LeRobotDataset,
    header: Header,
    draft: Path,
    measures: Measures | StoredMeasures,
    whole: _Whole,
    steps: _Steps,
) -> tuple[list[Place], list[dict[str, Stats]]]:
    """Write the frame tables, a row group per episode, and measure the episodes on the way."""
    schema, places, stats = data_schema(header.features), [], []
    for place, numbers in _by_size(source, header):
        path = draft / path_of(header.data_path, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=True) as writer:
            for number in numbers:
                rows = episode_rows(source, number, schema)
                writer.write_table(rows, row_group_size=max(len(rows), 1))
                of_columns = measured(source, rows)
                whole.add(of_columns)
                stats.append(_slim(of_columns) | measures.episode(number))
                places.append(place)
                steps.one()
    return places, stats


def _by_size(source: LeRobotDataset, header: Header) -> Iterator[tuple[Place, list[int]]]:
    """Put episodes into files until the old ones, together, reach the limit."""
    place, numbers, size = (0, 0), list[int](), 0
    for number in range(len(source.episodes)):
        path = source.contents.tables[int(source.contents.table[number])]
        size += path.stat().st_size if path.exists() else 0
        if numbers and size >= header.sizes_in_mb["data"] << 20:
            yield place, numbers
            place, numbers, size = after([place], header.chunks_size), [], 0
        numbers.append(number)
    if numbers:
        yield place, numbers


def _write_episodes(
    source: LeRobotDataset,
    header: Header,
    draft: Path,
    places: Sequence[Place],
    stats: Sequence[Mapping[str, Stats]],
    clips: Mapping[str, Sequence[Placed]],
) -> None:
    """Write the episodes table: where each episode's rows and pictures are, and its statistics."""
    own = (0, 0)
    for first in range(0, len(places), _ROWS_PER_FILE):
        numbers = range(first, min(first + _ROWS_PER_FILE, len(places)))
        columns = _facts(source, places, numbers)
        for key, placed in clips.items():
            columns |= _clip_columns(
                key, [placed[number] for number in numbers], source.episodes.length[numbers], header
            )
        columns |= _stat_columns([stats[number] for number in numbers], header)
        columns |= {name: [part] * len(numbers) for name, part in zip(OWN_PLACE, own, strict=True)}
        tables.write(draft / path_of(layout.EPISODES_PATH, own), pa.table(columns))
        own = after([own], header.chunks_size)


def _facts(source: LeRobotDataset, places: Sequence[Place], numbers: range) -> dict[str, Any]:
    episodes = source.episodes
    return {
        "episode_index": list(numbers),
        "tasks": [list(episodes[number].tasks) for number in numbers],
        "length": episodes.length[numbers],
        "data/chunk_index": [places[number][0] for number in numbers],
        "data/file_index": [places[number][1] for number in numbers],
        "dataset_from_index": episodes.start[numbers],
        "dataset_to_index": episodes.stop[numbers],
    }


def _clip_columns(key: str, placed: Sequence[Placed], lengths: Any, header: Header) -> dict[str, Any]:
    columns = {
        "chunk_index": [each.place[0] for each in placed],
        "file_index": [each.place[1] for each in placed],
        "from_timestamp": [each.start / header.fps for each in placed],
        "to_timestamp": [(each.start + int(length)) / header.fps for each, length in zip(placed, lengths, strict=True)],
    }
    return {f"videos/{key}/{name}": values for name, values in columns.items()}


def _stat_columns(stats: Sequence[Mapping[str, Stats]], header: Header) -> dict[str, Any]:
    """Lay out what is known of every one of these episodes, in the order of the features."""
    columns: dict[str, Any] = {}
    for key, feature in header.features.items():
        stored = [each[key].to_json() for each in stats if key in each]
        for name in STAT_NAMES if len(stored) == len(stats) else ():
            if all(name in part for part in stored):
                columns[f"stats/{key}/{name}"] = [_whole_numbers(part[name], name, feature["dtype"]) for part in stored]
    return columns


def _whole_numbers(values: list[Any], name: str, dtype: str) -> list[Any]:
    return [int(value) for value in values] if name in ("min", "max") and "int" in dtype else values


def _slim(stats: Mapping[str, Stats]) -> dict[str, Stats]:
    """Leave out the sketches: those of many episodes are more than memory holds."""
    return {key: replace(part, sketch=None) for key, part in stats.items()}


def _link_beside(source: Path, draft: Path) -> None:
    """Take along what lies beside the dataset's own folders, such as its card and its licence."""
    for path in source.iterdir():
        if path.is_file() and not path.name.startswith("."):
            link(path, draft / path.name)
