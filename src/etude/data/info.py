"""What a dataset holds, in a few plain values."""

from __future__ import annotations

from typing import Any

from etude.data.dataset import Dataset


def summary(dataset: Dataset) -> dict[str, Any]:
    """Sum up `dataset` in values that JSON can hold."""
    return {
        "root": str(dataset.root),
        "format": dataset.format,
        "total_episodes": len(dataset.episodes),
        "total_frames": dataset.episodes.num_frames,
        "fps": dataset.fps,
        "robot_type": dataset.robot_type,
        "features": {key: str(spec) for key, spec in dataset.specs.items()},
        "tasks": list(dataset.tasks),
        "size_bytes": sum(path.stat().st_size for path in (dataset.root, *dataset.root.rglob("*")) if path.is_file()),
        "codec": dict(dataset.codecs),
    }
