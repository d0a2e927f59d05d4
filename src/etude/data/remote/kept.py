"""Which fetched files stay on this machine."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path

_LATELY_S = 60.0
"""Files touched within this time stay, since somebody may be about to open them [s]."""


class KeptFiles:
    """Files in the order they were touched; those touched longest ago are deleted when all take too many bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._total = limit_bytes, 0
        self._files: OrderedDict[Path, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def found(self, root: Path) -> None:
        """Count what earlier programs left below `root`; it counts as touched long ago."""
        for path in sorted(root.rglob("*"), key=lambda path: path.stat().st_mtime):
            if path.is_file():
                self._put(path, -_LATELY_S)

    def touched(self, path: Path) -> None:
        """Note that a file was touched, and make room for it."""
        with self._lock:
            self._put(path, time.monotonic())
            while self._total > self._limit and len(self._files) > 1:
                oldest, (size, when) = next(iter(self._files.items()))
                if when > time.monotonic() - _LATELY_S:
                    break
                oldest.unlink(missing_ok=True)
                del self._files[oldest]
                self._total -= size

    def _put(self, path: Path, when: float) -> None:
        before, _ = self._files.pop(path, (0, 0.0))
        size = path.stat().st_size
        self._total += size - before
        self._files[path] = (size, when)
