"""`meta/stats.json`: the statistics of a whole dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from etude.core.errors import DatasetError
from etude.core.files import write_json
from etude.core.stats import Stats

FILE = Path("meta/stats.json")


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
