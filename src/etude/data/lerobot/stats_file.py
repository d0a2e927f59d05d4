"""`meta/stats.json`: the statistics of a whole dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.core.stats import Stats
from etude.data.image_stats import counted_in_frames

FILE = Path("meta/stats.json")
_LENGTH = "frame_index"
"""A column that every frame has: it tells how many there are."""


def read_stats(root: Path) -> dict[str, Stats]:
    """Read them; none when the dataset has no such file."""
    path = root / FILE
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {key: Stats.from_json(part) for key, part in stored.items()}
    except (ValueError, KeyError, AttributeError) as error:
        raise DatasetError(path, f"does not hold statistics ({error}). Copy the file again.") from error


def write_stats(root: Path, stats: Mapping[str, Stats]) -> None:
    """Write them, atomically."""
    write_json(root / FILE, {key: part.to_json() for key, part in stats.items()}, indent=4)


def merge_episodes(episodes: Sequence[Mapping[str, Stats]]) -> dict[str, Stats]:
    """Merge the statistics of episodes, or of datasets, for the keys that all of them have; cameras by their frames."""
    shared = [key for key in (episodes[0] if episodes else ()) if all(key in each for each in episodes)]
    return {key: Stats.merge([_in_frames(each, key) for each in episodes]) for key in shared}


def _in_frames(episode: Mapping[str, Stats], key: str) -> Stats:
    is_camera = episode[key].mean.ndim == 3
    return counted_in_frames(episode[key], episode[_LENGTH].count) if is_camera and _LENGTH in episode else episode[key]
