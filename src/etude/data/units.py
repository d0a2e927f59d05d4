"""Whether a dataset's joints are told in degrees or in shares of their range."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from etude.core.files import write_json
from etude.core.frame import ACTION
from etude.data.dataset import Dataset

FILE = Path("meta/etude/units.json")
_DEGREES = "uses_degrees"
_FULL = 100.5
"""No share of a range is more than 100; LeRobot cuts them off there. A little for rounding."""


def keep_units(root: Path, uses_degrees: bool | None) -> None:
    """Note in dataset `root` what its joints are told in, where that is known; its first episodes decide."""
    if uses_degrees is not None and not (root / FILE).exists():
        (root / FILE).parent.mkdir(parents=True, exist_ok=True)
        write_json(root / FILE, {_DEGREES: uses_degrees})


def tells_degrees(dataset: Dataset) -> bool | None:
    """Tell whether joints are in degrees, or else in -100 to 100; nothing where neither is certain.

    What was recorded here says so. In other datasets, a joint that goes beyond 100 is told in degrees.
    """
    noted = _noted(dataset.root / FILE)
    return _go_beyond(dataset) or None if noted is None else noted


def _noted(path: Path) -> bool | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    noted = stored.get(_DEGREES) if isinstance(stored, dict) else None
    return noted if isinstance(noted, bool) else None


def _go_beyond(dataset: Dataset) -> bool:
    if ACTION not in dataset.specs or ACTION not in dataset.stats:
        return False
    names, stats = dataset.specs[ACTION].names, dataset.stats[ACTION]
    joints = [place for place, name in enumerate(names) if name.endswith(".pos") and "gripper" not in name]
    extremes = np.abs(np.stack([np.ravel(stats.min), np.ravel(stats.max)]))
    return bool(joints) and extremes.shape[1] == len(names) and bool(extremes[:, joints].max() > _FULL)
