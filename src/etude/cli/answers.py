"""Enter and short words, typed while something else goes on."""

from __future__ import annotations

import queue
import sys
import threading
from typing import TextIO

from etude.core.errors import UserError

_ENDED = None


class Answers:
    """The lines typed so far; a thread reads them, since a terminal cannot be asked everywhere whether there is one."""

    def __init__(self, source: TextIO | None = None) -> None:
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._source = source or sys.stdin
        threading.Thread(target=self._read, daemon=True).start()

    def typed(self, timeout_s: float = 0.0) -> str | None:
        """Give the next line without its end, or none when there is none in time; raise `UserError` at the end."""
        try:
            line = self._lines.get(timeout=timeout_s) if timeout_s else self._lines.get_nowait()
        except queue.Empty:
            return None
        if line is _ENDED:
            self._lines.put(_ENDED)
            raise UserError("The input ended while an answer was needed. Run this in a terminal.")
        return line

    def wait(self) -> str:
        """Wait for a line."""
        while (line := self.typed(0.1)) is None:
            pass
        return line

    def _read(self) -> None:
        try:
            for line in iter(self._source.readline, ""):
                self._lines.put(line.strip())
        except (OSError, ValueError):  # closed, or not a terminal at all
            pass
        self._lines.put(_ENDED)
