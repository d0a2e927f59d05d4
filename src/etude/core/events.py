"""What a run tells the world while it runs: JSON lines, one writer, any number of readers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class EventLog:
    """Appends events to a file; each is one line, so a reader never sees half of one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _end_torn_line(path)
        self._file = path.open("ab", buffering=0)

    def write(self, kind: str, **values: Any) -> None:
        """Append one event: its kind, the time (Unix seconds) and `values`, which must be JSON."""
        line = json.dumps({"kind": kind, "time": round(time.time(), 3)} | values)
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events written so far; lines torn by a crash are skipped."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


def _end_torn_line(path: Path) -> None:
    """Close a last line that a crash left open, so that the next event starts on its own."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            file.write(b"\n")
