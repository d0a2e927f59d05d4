"""When frames were really captured: small tables under `meta/etude/timing`, row for row beside those under `data`.

A table's `timestamp` is the time a frame should have been taken, as LeRobot has it; these hold the time it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from etude.data.lerobot import tables
from etude.data.timing import NOTHING, REPEATED

FOLDER = Path("meta/etude/timing")


def timing_file(root: Path, data_file: Path) -> Path:
    """Name the table of times that belongs to a table of frames."""
    return root / FOLDER / data_file.parent.name / data_file.name


def write_timing(path: Path, timing: Mapping[str, np.ndarray]) -> None:
    """Write the times of one file's frames; without any, nothing."""
    if timing:
        tables.write(path, pa.table({name: pa.array(values) for name, values in timing.items()}))


def read_timing(root: Path, data_files: Sequence[Path], starts: np.ndarray) -> dict[str, np.ndarray]:
    """Read the times of all frames, NaN where none were noted; empty when none were noted at all.

    `starts` are the first rows of the episodes: the first frame of an episode repeats nothing.
    """
    files = [timing_file(root, path) for path in data_files]
    if not any(path.exists() for path in files):
        return {}
    parts = [tables.read(path) if path.exists() else None for path in files]
    names = list(dict.fromkeys(name for part in parts if part for name in part.column_names))
    lengths = [len(part) if part else tables.num_rows(path) for part, path in zip(parts, data_files, strict=True)]
    columns = {name: _joined(name, parts, lengths) for name in names}
    return columns | {f"{name}{REPEATED}": _repeated(columns[name], starts) for name in names if "." in name}


def _joined(name: str, parts: Sequence[pa.Table | None], lengths: Sequence[int]) -> np.ndarray:
    nothing = NOTHING.get(name, np.nan)
    return np.concatenate(
        [
            part[name].fill_null(nothing).to_numpy() if part and name in part.column_names else np.full(length, nothing)
            for part, length in zip(parts, lengths, strict=True)
        ]
    )


def _repeated(times: np.ndarray, starts: np.ndarray) -> np.ndarray:
    repeated = np.concatenate([[False], np.diff(times) <= 0])
    repeated[starts[starts < len(repeated)]] = False
    return repeated
