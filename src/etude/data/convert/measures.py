"""Statistics of the pictures of each episode, which old datasets hold in part or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import DatasetError
from etude.core.sketch import Histogram
from etude.core.stats import Stats
from etude.data.image_stats import LEVELS, sampled_frames, stats_of
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.statistics import pictures_stats

_CHANNELS = 3
EPISODES_STATS = Path("meta/episodes_stats.jsonl")
FILE = "measured-pictures.bin"
"""In the workspace: what an interrupted conversion has measured."""
_RECORD = np.dtype([("episode", "<i8"), ("camera", "<i8"), ("count", "<i8"), ("levels", "<i8", (_CHANNELS, LEVELS))])


class Measures:
    """Completes what a dataset stores by measuring a sample of each episode's pictures, once, however often begun."""

    def __init__(self, source: LeRobotDataset, workspace: Path) -> None:
        self._source, self._path = source, workspace / FILE
        self._kept = StoredMeasures(source)
        self._cameras = [key for key in source.contents.clips if source.specs[key].is_image]
        self._known = {(int(each["episode"]), int(each["camera"])): each for each in self._stored()}

    def episode(self, number: int) -> dict[str, Stats]:
        """Give the statistics of an episode's pictures."""
        return _completed(self._kept.episode(number), self._measured([number]))

    def whole(self) -> dict[str, Stats]:
        """Give the statistics of all episodes' pictures; the quantiles are those of all the pixels measured."""
        return _completed(self._kept.whole(), self._measured(range(len(self._source.episodes))))

    def _measured(self, numbers: Sequence[int]) -> dict[str, Stats]:
        found: dict[str, Stats] = {}
        for camera, key in enumerate(self._cameras if len(numbers) else ()):
            parts = [self._levels(number, camera) for number in numbers]
            found[key] = stats_of(
                Histogram(np.sum([levels for _, levels in parts], axis=0), sum(count for count, _ in parts))
            )
        return found

    def forget(self) -> None:
        """Delete what was kept for a conversion that begins anew."""
        self._path.unlink(missing_ok=True)

    def _levels(self, number: int, camera: int) -> tuple[int, np.ndarray]:
        if (number, camera) not in self._known:
            count, levels = self._counted(self._cameras[camera], number)
            record = np.array([(number, camera, count, levels)], _RECORD)
            with self._path.open("ab") as file:
                file.write(record.tobytes())
            self._known[number, camera] = record[0]
        known = self._known[number, camera]
        return int(known["count"]), known["levels"]

    def _counted(self, key: str, number: int) -> tuple[int, np.ndarray]:
        rows = int(self._source.episodes.start[number]) + sampled_frames(int(self._source.episodes.length[number]))
        measured = pictures_stats(self._source, key, rows).sketch
        assert isinstance(measured, Histogram)
        return measured.count, measured.counts

    def _stored(self) -> np.ndarray:
        """Read what was measured before; a record that a crash cut off does not count."""
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = len(data) // _RECORD.itemsize * _RECORD.itemsize
        if whole < len(data):
            self._path.write_bytes(data[:whole])
        return np.frombuffer(data[:whole], _RECORD)


def _completed(stored: Mapping[str, Stats], measured: Mapping[str, Stats]) -> dict[str, Stats]:
    """Keep what is stored and add the quantiles that it lacks; what is not stored is as measured."""
    return dict(stored) | {
        key: replace(stored[key], quantiles={**part.quantiles, **stored[key].quantiles}) if key in stored else part
        for key, part in measured.items()
    }


class StoredMeasures:
    """Takes the statistics that the dataset has, as far as it has them."""

    def __init__(self, source: LeRobotDataset) -> None:
        self._source = source
        self._of = _stored_by_episode(source.root / EPISODES_STATS)

    def episode(self, number: int) -> dict[str, Stats]:
        """Give the stored statistics of an episode's pictures; nothing where a dataset keeps none by episode."""
        stored = self._of.get(int(self._source.episodes.indices[number]), {})
        return {key: Stats.from_json(stored[key]) for key in self._source.contents.clips if key in stored}

    def whole(self) -> dict[str, Stats]:
        """Give the stored statistics of all pictures."""
        return {key: self._source.stats[key] for key in self._source.contents.clips if key in self._source.stats}

    def forget(self) -> None:
        """Keep everything: it is the source's own."""


def _stored_by_episode(path: Path) -> dict[int, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.strip()]
        return {int(line["episode_index"]): line["stats"] for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(path, f"does not hold statistics ({error}). Copy the file again.") from error
