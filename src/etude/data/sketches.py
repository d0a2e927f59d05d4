"""Sketches of every episode, from which the quantiles of any set of episodes are told.

They lie in small tables under `meta/etude/sketches`, each beside the table of frames of the same number: a row per
episode and key. LeRobot does not look there. What is missing is no problem: quantiles of merged episodes are then outer
bounds, as LeRobot's are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from etude.core import sketch
from etude.core.errors import ConfigError, DatasetError
from etude.core.sketch import Sketch
from etude.core.stats import Stats, quantiles_of
from etude.data.lerobot import tables
from etude.data.lerobot.header import DEFAULT_FEATURES

FOLDER = Path("meta/etude/sketches")

_AT_ONCE = 256
"""Sketches of one key that are in memory together."""

SketchesOf = Mapping[int, Mapping[str, Sketch]]
"""Per episode number and key."""


def sketches_file(root: Path, data_file: Path) -> Path:
    """Name the table of sketches that belongs to a table of frames."""
    return root / FOLDER / data_file.parent.name / data_file.name


def write_sketches(path: Path, episodes: SketchesOf) -> None:
    """Write the sketches of the episodes in one table of frames; without any, delete what may lie there."""
    write_packed(
        path, {number: {key: each.to_bytes() for key, each in one.items()} for number, one in episodes.items()}
    )


def write_packed(path: Path, episodes: Mapping[int, Mapping[str, bytes]]) -> None:
    """Write sketches as `read_packed` gives them."""
    rows = [
        {"episode_index": number, "key": key, "payload": payload}
        for number, packed in sorted(episodes.items())
        for key, payload in packed.items()
    ]
    if rows:
        tables.write(path, pa.Table.from_pylist(rows, schema=_SCHEMA))
    else:
        path.unlink(missing_ok=True)


def read_sketches(paths: Iterable[Path]) -> dict[int, dict[str, Sketch]]:
    """Read the sketches of some files; a file that is not there holds none.

    Raises `DatasetError` when one is damaged, or of a later version.
    """
    found: dict[int, dict[str, Sketch]] = {}
    for path in paths:
        for number, packed in read_packed(path).items():
            unpacked = {key: _unpacked(path, payload) for key, payload in packed.items()}
            found.setdefault(number, {}).update(unpacked)
    return found


def read_packed(path: Path) -> dict[int, dict[str, bytes]]:
    """Read the sketches of a file as the bytes they are stored in; a file that is not there holds none."""
    found: dict[int, dict[str, bytes]] = {}
    if path.exists():
        for row in tables.read(path, _SCHEMA.names).to_pylist():
            found.setdefault(row["episode_index"], {})[row["key"]] = row["payload"]
    return found


def merge_sketches(root: Path, num_episodes: int) -> dict[str, Sketch]:
    """Merge the sketches of the first `num_episodes` of dataset `root`, for the keys of which every one has a sketch.

    Holds few at a time, however many episodes there are.
    """
    waiting: dict[str, list[Sketch]] = defaultdict(list)
    found: Counter[str] = Counter()
    for path in sorted((root / FOLDER).glob("chunk-*/file-*.parquet")):
        for number, sketches in read_sketches([path]).items():
            for key, each in sketches.items() if number < num_episodes else ():
                found[key] += 1
                waiting[key].append(each)
                if len(waiting[key]) >= _AT_ONCE:
                    waiting[key] = _joined(waiting[key])
    whole = {key: sketch.merged(parts) for key, parts in waiting.items() if found[key] == num_episodes}
    return {key: each for key, each in whole.items() if each is not None}


def sketches_of(stats: Mapping[str, Stats]) -> dict[str, Sketch]:
    """Give the sketches that statistics were measured with, but for columns that only say where a row is."""
    return {key: part.sketch for key, part in stats.items() if part.sketch is not None and key not in DEFAULT_FEATURES}


def with_sketches(stats: Mapping[str, Stats], sketches: Mapping[str, Sketch]) -> dict[str, Stats]:
    """Give statistics the quantiles that sketches of the same data tell, and the sketches to merge further."""
    told = {
        key: replace(stats[key], quantiles=quantiles_of(each), sketch=each)
        for key, each in sketches.items()
        if key in stats
    }
    return dict(stats) | told


def _joined(parts: list[Sketch]) -> list[Sketch]:
    joined = sketch.merged(parts)
    return parts if joined is None else [joined]


def _unpacked(path: Path, payload: bytes) -> Sketch:
    try:
        return sketch.from_bytes(payload)
    except ConfigError as error:
        raise DatasetError(path, f"{error} Run: etude dataset stats --recompute") from error


_SCHEMA = pa.schema([("episode_index", pa.int64()), ("key", pa.string()), ("payload", pa.binary())])
