"""Keys pressed in the terminal while something else goes on, and what they mean to a command that moves a robot."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from etude.hardware.teleoperators.keyboard import terminal

RIGHT, LEFT, ESCAPE, SPACE = "right", "left", "escape", "space"
MEANINGS = {
    "right": RIGHT, "enter": RIGHT, "n": RIGHT,
    "left": LEFT, "backspace": LEFT, "r": LEFT,
    "escape": ESCAPE, "q": ESCAPE,
    "space": SPACE,
}  # fmt: skip
"""The keys that mean something here; the others may mean something to the teleoperator."""


class Keys:
    """The keys pressed since the last look."""

    def __init__(self, listener: terminal.Listener | None) -> None:
        self._listener = listener

    @property
    def is_heard(self) -> bool:
        """Whether there is a keyboard to press keys on."""
        return self._listener is not None

    def pressed(self) -> list[str]:
        """Give the meanings of the keys pressed, oldest first; never waits."""
        typed = self._listener.typed() if self._listener else []
        return [MEANINGS[key] for key in typed if key in MEANINGS]


@contextmanager
def listening() -> Generator[Keys]:
    """Listen to the terminal for the length of a block, if there is one; it is as it was afterwards."""
    if not terminal.is_there():
        yield Keys(None)
        return
    listener = terminal.listen()
    try:
        yield Keys(listener)
    finally:
        listener.close()
