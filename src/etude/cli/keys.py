"""Keys pressed in the terminal while something else goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

NAMES = {
    b"\x1b[C": "right", b"\x1bOC": "right", b"n": "right", b"\r": "right", b"\n": "right", b" ": "right",
    b"\x1b[D": "left", b"\x1bOD": "left", b"r": "left", b"\x7f": "left", b"\b": "left",
    b"\x1b": "escape", b"q": "escape",
}  # fmt: skip
"""What terminals send, and the key that it means here."""


class Keys:
    """The keys pressed since the last look."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def pressed(self) -> str | None:
        """Give the newest key that means something, or none; never waits."""
        if self._descriptor is None:
            return None
        try:
            typed = os.read(self._descriptor, 64)
        except BlockingIOError:
            return None
        return last_key(typed)


def last_key(typed: bytes) -> str | None:
    """Tell the last key in what a terminal sent."""
    for sequence in sorted(NAMES, key=len, reverse=True):
        if typed.endswith(sequence):
            return NAMES[sequence]
    return None


@contextmanager
def listening() -> Generator[Keys]:
    """Listen to the terminal for the length of a block, if there is one; it is as it was afterwards."""
    if not sys.stdin.isatty() or os.name != "posix":
        yield Keys(None)
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)  # keys come at once; Ctrl-C still interrupts
        os.set_blocking(descriptor, False)
        yield Keys(descriptor)
    finally:
        os.set_blocking(descriptor, True)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
