"""Storing decoded pictures without making who decoded them wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

WAITING_BYTES = 64 << 20
"""Pictures that may wait to be stored. Where a disk is slower than decoding, the others are decoded again some day."""


class Storing:
    """A thread that does pieces of work in turn, and takes no more than it can bear."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Callable[[], None], int]] = deque()
        self._bytes = 0
        self._thread: threading.Thread | None = None

    def put(self, work: Callable[[], None], num_bytes: int, *, wait: bool) -> bool:
        """Take on `work`, which holds so many bytes; where too many wait, stand in line, or say no."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._has_room(num_bytes))
            elif not self._has_room(num_bytes):
                return False
            self._waiting.append((work, num_bytes))
            self._bytes += num_bytes
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return True

    @property
    def is_full(self) -> bool:
        """Whether there is so much to do that more is likely to be refused."""
        return self._bytes > WAITING_BYTES // 2

    def flush(self) -> None:
        """Wait until all that was taken on is done."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes)

    def _has_room(self, num_bytes: int) -> bool:
        return not self._bytes or self._bytes + num_bytes <= WAITING_BYTES

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    return
                work, num_bytes = self._waiting.popleft()
            try:
                work()
            finally:
                del work
                with self._changed:
                    self._bytes -= num_bytes
                    self._changed.notify_all()
