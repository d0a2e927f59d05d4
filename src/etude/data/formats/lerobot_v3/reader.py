"""Reads LeRobot v3.0: many episodes per file, found through the episodes table."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.core.stats import Stats
from etude.data.episodes import Episodes
from etude.data.formats.lerobot_v3.config import Config
from etude.data.formats.lerobot_v3.layout import EPISODES_FOLDER, Place, path_of
from etude.data.formats.lerobot_v3.metadata import read_tasks, row_stats
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.contents import Clips, Contents
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.gathered import read_gathered
from etude.data.lerobot.header import Header
from etude.data.lerobot.stats_file import merge_episodes, read_stats
from etude.data.sketches import merge_sketches, with_sketches

_ROW = ["episode_index", "tasks", "length", "data/chunk_index", "data/file_index", "dataset_from_index"]
_CLIP = ["chunk_index", "file_index", "from_timestamp", "to_timestamp"]
_FILE_BITS = 32


def build(config: Config, root: Path) -> LeRobotDataset:
    """Open the dataset in `root`; raise `DatasetError` when a file of it is missing or damaged.

    `meta/info.json` says how many episodes there are: what lies beyond was being written when a crash came.
    """
    del config
    header = headers.read(root)
    table = episodes_table(root, header)
    places, position = _places(table, "data")
    contents = Contents(
        episodes=_episodes(table),
        tables=[root / path_of(header.data_path, place) for place in places],
        table=position,
        clips={key: _clips(root, header, table, key) for key in header.cameras("video")},
        read_tasks=lambda: read_tasks(root)[: header.total_tasks],
        read_stats=lambda: _stats(root, header),
    )
    return LeRobotDataset(root, "lerobot_v3", header, contents)


def episodes_files(root: Path) -> list[Path]:
    """List the files of the episodes table, in order."""
    return sorted((root / EPISODES_FOLDER).glob("chunk-*/file-*.parquet"))


def episodes_table(root: Path, header: Header) -> pa.Table:
    """Read the committed rows of the episodes table, without statistics."""
    columns = _ROW + [f"videos/{key}/{name}" for key in header.cameras("video") for name in _CLIP]
    table = read_gathered(episodes_files(root), columns)
    index = table["episode_index"].to_numpy()
    if (np.diff(index) < 0).any():
        table = table.sort_by("episode_index")
    table = table[: header.total_episodes].combine_chunks()
    if not np.array_equal(table["episode_index"].to_numpy(), np.arange(header.total_episodes)):
        raise DatasetError(
            root / EPISODES_FOLDER,
            f"should list {header.total_episodes} episodes from 0 on, lists {len(table)}. Copy the folder again, "
            "or save what is whole of an unfinished recording: etude dataset recover.",
        )
    return table


def committed_stats(root: Path, header: Header) -> dict[str, Stats]:
    """Merge the statistics of the committed episodes; none when the episodes table holds none."""
    measured = [*header.columns(), *header.cameras("video")]
    rows = [
        row_stats(part[row : row + 1], measured)
        for part in map(tables.read, episodes_files(root))
        for row, index in enumerate(part["episode_index"].to_pylist())
        if index < header.total_episodes
    ]
    if not rows or not all(rows):
        return {}
    merged = merge_episodes(rows)
    with suppress(DatasetError):  # `check` tells of it; without sketches quantiles are outer bounds
        merged = with_sketches(merged, merge_sketches(root, header.total_episodes))
    return merged


def _stats(root: Path, header: Header) -> dict[str, Stats]:
    """Read the statistics; a crash may have left them an episode ahead, and then they are merged anew."""
    stats = read_stats(root)
    if "index" in stats and stats["index"].count != header.total_frames:
        return committed_stats(root, header) or stats
    return stats


def _episodes(table: pa.Table) -> Episodes:
    index, start, length = (table[name].to_numpy() for name in ("episode_index", "dataset_from_index", "length"))
    tasks = table["tasks"].combine_chunks()
    return Episodes(index, start, length, lambda number: tasks[number].as_py())


def _places(table: pa.Table, prefix: str) -> tuple[list[Place], np.ndarray]:
    """List the places in columns of the episodes table, in order of first use, and which one each episode uses."""
    chunk, file = (table[f"{prefix}/{name}"].to_numpy() for name in ("chunk_index", "file_index"))
    numbers, first, position = np.unique((chunk << _FILE_BITS) | file, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    places = [(number >> _FILE_BITS, number & ((1 << _FILE_BITS) - 1)) for number in numbers[order].tolist()]
    return places, rank[position.reshape(-1)]


def _clips(root: Path, header: Header, table: pa.Table, key: str) -> Clips:
    if header.video_path is None:
        raise DatasetError(root / headers.FILE, f"declares the video '{key}' and no video_path. Restore the file.")
    places, position = _places(table, f"videos/{key}")
    begin, end = (table[f"videos/{key}/{name}"].to_numpy() for name in ("from_timestamp", "to_timestamp"))
    return Clips(
        paths=[root / path_of(header.video_path, place, key) for place in places],
        file=position,
        start=np.round(begin * header.fps).astype(np.int64),
        length=np.round((end - begin) * header.fps).astype(np.int64),
    )
