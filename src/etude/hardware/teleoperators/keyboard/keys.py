"""Where keys come from."""

from __future__ import annotations

from collections import deque
from typing import Protocol


class KeySource(Protocol):
    """Tells the keys that were pressed: letters as they are, others by name (`right`, `escape`, `enter`, `space`)."""

    def typed(self) -> list[str]:
        """Give the keys since the last look, oldest first; never waits."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class FedKeys:
    """Keys that a program presses, such as a web page's or a test's."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()

    def press(self, *keys: str) -> None:
        """Press `keys`, one after another."""
        self._waiting.extend(keys)

    def typed(self) -> list[str]:
        """Give the keys since the last look."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def close(self) -> None:
        """Forget what was not read."""
        self._waiting.clear()
