"""LeRobot v3.0 back to v2.1, for those whose other tools read nothing newer: a table and a video per episode."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from etude.core.files import write_json
from etude.core.stats import Stats
from etude.data.convert.origin import Origin, write_origin
from etude.data.convert.rows import Tell, episode_rows, measured
from etude.data.convert.videos import cut_video
from etude.data.formats.lerobot_v3.metadata import row_stats
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.lerobot import header as headers
from etude.data.lerobot import tables
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.schema import data_schema
from etude.data.versions import locked, new_version
from etude.data.video.splice import Piece

_DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
_VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
_CHUNK = 1000
_STATS = ("min", "max", "mean", "std", "count")
"""What v2.1 knows; it has no quantiles."""


def downgrade(source: LeRobotDataset, root: Path, origin: Origin, tell: Tell) -> tuple[str, ...]:
    """Make the dataset `root`: when this is done it is there whole, and before that not at all."""
    features = source.header.features
    cameras = [key for key, feature in features.items() if feature["dtype"] == "video"]
    kept = {key: feature for key, feature in features.items() if key not in cameras or key in source.contents.clips}
    with locked(root), new_version(root, "convert", is_edit=False) as draft:
        lines = list(_episodes(source, draft, kept, tell))
        _write_lines(draft / "meta/episodes.jsonl", [line for line, _ in lines])
        _write_lines(draft / "meta/episodes_stats.jsonl", [line for _, line in lines])
        tasks = [{"task_index": number, "task": task} for number, task in enumerate(source.tasks)]
        _write_lines(draft / "meta/tasks.jsonl", tasks)
        write_json(draft / headers.FILE, _info(source, kept), indent=4)
        write_origin(draft, origin)
    left = [key for key in cameras if key not in kept]
    return (f"Depth cameras are left behind: {', '.join(left)}.",) if left else ()


def _episodes(
    source: LeRobotDataset, draft: Path, features: Mapping[str, Mapping[str, Any]], tell: Tell
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Write the files of each episode, and give its lines in the lists of episodes and of statistics."""
    schema = _older(data_schema(features))
    stored = _stored_stats(source)
    for number, episode in enumerate(source.episodes):
        place = {"episode_chunk": number // _CHUNK, "episode_index": number}
        rows = episode_rows(source, number, schema)
        tables.write(draft / _DATA.format(**place), rows)
        for key, clips in source.contents.clips.items():
            clip = clips[number]
            path = draft / _VIDEO.format(video_key=key, **place)
            cut_video(Piece(path=clip.path, start=clip.start, length=clip.length), path, source.fps)
        stats = measured(source, rows) | next(stored)
        told = {key: {name: part for name, part in stats[key].to_json().items() if name in _STATS} for key in stats}
        tell(number + 1, len(source.episodes))
        line = {"episode_index": number, "tasks": list(episode.tasks), "length": len(episode)}
        yield line, {"episode_index": number, "stats": told}


def _stored_stats(source: LeRobotDataset) -> Iterator[dict[str, Stats]]:
    """Walk the statistics of each episode's pictures, as far as they are stored."""
    for path in episodes_files(source.root):
        table = tables.read(path)
        known = [key for key in source.codecs if f"stats/{key}/mean" in table.column_names]
        for row in range(len(table)):
            yield row_stats(table[row : row + 1], known)


def _older(schema: pa.Schema) -> pa.Schema:
    """Describe lists in the word that Hugging Face `datasets` had for them before its version 4."""
    noted = schema.metadata[b"huggingface"].replace(b'"_type": "List"', b'"_type": "Sequence"')
    return schema.with_metadata({b"huggingface": noted})


def _info(source: LeRobotDataset, features: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    header, num_episodes = source.header, len(source.episodes)
    return {
        "codebase_version": "v2.1",
        "robot_type": header.robot_type,
        "total_episodes": num_episodes,
        "total_frames": source.episodes.num_frames,
        "total_tasks": len(source.tasks),
        "total_videos": num_episodes * len(source.contents.clips),
        "total_chunks": -(-num_episodes // _CHUNK),
        "chunks_size": _CHUNK,
        "fps": header.fps,
        "splits": {"train": f"0:{num_episodes}"},
        "data_path": _DATA,
        "video_path": _VIDEO if source.contents.clips else None,
        "features": dict(features),
    }


def _write_lines(path: Path, values: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
