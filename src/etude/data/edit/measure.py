"""Statistics of episodes that were cut, and of the whole new version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from etude.core.errors import DatasetError
from etude.core.stats import Stats
from etude.data.edit.frames import rows_of
from etude.data.edit.plan import Kept, Plan
from etude.data.edit.source import Source
from etude.data.formats.lerobot_v3.metadata import STAT_NAMES
from etude.data.image_stats import LEVELS, histogram, image_stats, sampled_frames
from etude.data.lerobot import tables
from etude.data.lerobot.header import spec_of
from etude.data.video import OpenVideos

_TEXT = ("string", "language")


class Measure:
    """Measures the kept part of episodes; its videos stay open."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._videos = plan, OpenVideos(8)

    def episode(self, number: int, columns: Mapping[str, np.ndarray]) -> dict[str, Stats]:
        """Measure a new episode, by the old names of its keys; `columns` are those that tell where rows are."""
        kept = self._plan.kept[number]
        source = self._plan.sources[kept.source]
        table = rows_of(source, kept)
        return {
            key: self._key(source, kept, key, table, columns)
            for key in self._plan.keys
            if source.features[key]["dtype"] not in _TEXT
        }

    def _key(self, source: Source, kept: Kept, key: str, table: pa.Table, columns: Mapping[str, np.ndarray]) -> Stats:
        feature = source.features[key]
        if key == "timestamp":
            return Stats.of(columns["frame_index"][:, None] / self._plan.sources[0].fps)
        if key in columns:
            return Stats.of(columns[key][:, None])
        if feature["dtype"] in ("video", "image"):
            return self._pictures(source, kept, key, table)
        return Stats.of(tables.to_numpy(table[key], tuple(feature["shape"])))

    def _pictures(self, source: Source, kept: Kept, key: str, table: pa.Table) -> Stats:
        sampled = sampled_frames(len(kept))
        if source.features[key]["dtype"] == "image":
            pictures = (_unpacked(table[key][row].as_py(), source, key) for row in sampled.tolist())
        else:
            clips = source.clips[key]
            path = source.video_path(key, clips.place(kept.episode))
            first = int(clips.start[kept.episode]) + kept.start
            pictures = (self._videos[path].frames(np.array([first + tick]))[0] for tick in sampled.tolist())
        channels = spec_of(source.features[key]).shape[2]
        histograms = np.zeros((len(kept), channels, LEVELS), np.uint32)
        for tick, picture in zip(sampled.tolist(), pictures, strict=True):
            histograms[tick] = histogram(picture)
        return image_stats(histograms)


def merged(rows: pa.Table, features: Mapping[str, Mapping[str, Any]]) -> dict[str, Stats]:
    """Merge the statistics of all rows of an episodes table; keys that were not measured everywhere are left out."""
    found: dict[str, Stats] = {}
    for key, feature in features.items():
        parts = list(_parts(rows, key, feature))
        if parts:
            found[key] = Stats.merge(parts)
    return found


def _parts(rows: pa.Table, key: str, feature: Mapping[str, Any]) -> Iterator[Stats]:
    names = [name for name in STAT_NAMES if f"stats/{key}/{name}" in rows.column_names]
    columns = {name: rows[f"stats/{key}/{name}"] for name in names}
    if "mean" not in columns or any(column.null_count for column in columns.values()):
        return
    is_picture = feature["dtype"] in ("video", "image")
    shape = (spec_of(feature).shape[2], 1, 1) if is_picture else tuple(feature["shape"])
    values = {
        name: tables.to_numpy(column, (1,) if name == "count" else shape).astype(np.float64)
        for name, column in columns.items()
    }
    for row in range(len(rows)):
        yield Stats.from_json({name: array[row] for name, array in values.items()})


def _unpacked(stored: Mapping[str, Any], source: Source, key: str) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(stored["bytes"] or b"\0", np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise DatasetError(source.root, f"has a damaged picture of '{key}'. See: etude dataset check.")
    return picture
