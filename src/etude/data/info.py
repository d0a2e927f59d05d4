"""What a dataset holds, in a few plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from etude.data.dataset import Dataset
from etude.data.draft import drafts
from etude.data.notes import timing_facts
from etude.data.versions import can_undo, last_edit

_PARTS = {"data": "tables", "videos": "videos", "images": "images"}
"""What the folders of a LeRobot dataset hold."""


def summary(dataset: Dataset) -> dict[str, Any]:
    """Sum up `dataset` in values that JSON can hold."""
    size = _size(dataset)
    return {
        "root": str(dataset.root),
        "format": dataset.format,
        "total_episodes": len(dataset.episodes),
        "total_frames": dataset.episodes.num_frames,
        "fps": dataset.fps,
        "robot_type": dataset.robot_type,
        "features": {key: str(spec) for key, spec in dataset.specs.items()},
        "names": {key: list(spec.names) for key, spec in dataset.specs.items() if key not in dataset.codecs},
        "tasks": list(dataset.tasks),
        "episodes_of_task": _episodes_of_task(dataset),
        "seconds": _seconds(dataset),
        "timing": _timing(dataset),
        "version": _version(dataset),
        "drafts": len(drafts(dataset.root)),
        "size_bytes": sum(size.values()),
        "size_of": size,
        "codec": dict(dataset.codecs),
        "notes": list(dataset.notes),
    }


def _episodes_of_task(dataset: Dataset) -> dict[str, int]:
    """Count the episodes that have each task, most first."""
    counted = Counter(task for number in range(len(dataset.episodes)) for task in dataset.episodes.tasks(number))
    return dict(counted.most_common())


def _seconds(dataset: Dataset) -> dict[str, float] | None:
    """Tell how long all episodes take, and one of them."""
    length = dataset.episodes.length / dataset.fps
    if not len(length):
        return None
    named = {"total": length.sum(), "shortest": length.min(), "median": np.median(length), "longest": length.max()}
    return {name: round(float(value), 3) for name, value in named.items()}


def _timing(dataset: Dataset) -> dict[str, Any] | None:
    facts = timing_facts(dataset)
    if facts is None:
        return None
    return {
        "timed_frames": facts.timed,
        "late_frames": facts.late,
        "late_episodes": sorted(facts.late_episodes),
        "troubled_frames": facts.troubled,
        "troubled_episodes": sorted(facts.troubled_episodes),
        "repeated_pictures": dict(facts.repeated),
        "rate_hz": round(facts.rate_hz, 2) if np.isfinite(facts.rate_hz) else None,
    }


def _version(dataset: Dataset) -> dict[str, Any] | None:
    version = last_edit(dataset.root)
    if not version.number:
        return None
    return {"number": version.number, "last_edit": version.edit, "can_undo": can_undo(dataset.root)}


def _size(dataset: Dataset) -> Mapping[str, int]:
    """Add up the bytes of tables, videos and the rest."""
    counted: Counter[str] = Counter()
    for path in (dataset.root, *dataset.root.rglob("*")):
        if path.is_file():
            first = path.relative_to(dataset.root).parts[:1]
            counted[_PARTS.get(first[0] if first else "", "other")] += path.stat().st_size
    return dict(counted.most_common())
