"""The keys of the terminal, for everybody who listens: the driver's and the recorder's come over the same line."""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque

from etude.core.errors import DeviceError

SEQUENCES = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down",
    b"\x1b[C": "right", b"\x1bOC": "right", b"\x1b[D": "left", b"\x1bOD": "left",
    b"\r": "enter", b"\n": "enter", b" ": "space", b"\t": "tab", b"\x7f": "backspace", b"\b": "backspace",
}  # fmt: skip
"""What terminals send for keys that are no letters; a lone escape is the Escape key."""
_ESCAPE = b"\x1b"
_PATIENCE_S = 0.03
"""How long the rest of a sequence may take, on a slow line, until its escape counts as the Escape key."""


def parse(typed: bytes, *, is_over: bool) -> tuple[list[str], bytes]:
    """Split what a terminal sent into keys, and what may still become one unless `is_over`."""
    keys: list[str] = []
    while typed:
        length, key = _first(typed, is_over=is_over)
        if not length:
            break
        keys += [key] if key else []
        typed = typed[length:]
    return keys, typed


def _first(typed: bytes, *, is_over: bool) -> tuple[int, str]:
    """Give the length of the first key and its name; no length while it is incomplete, no name when unknown."""
    if not typed.startswith(_ESCAPE):
        return _first_character(typed, is_over=is_over)
    for sequence, name in SEQUENCES.items():
        if typed.startswith(sequence):
            return len(sequence), name
    if typed[1:2] not in (b"[", b"O"):
        return (1, "escape") if len(typed) > 1 or is_over else (0, "")
    end = next((place for place in range(2, len(typed)) if 0x40 <= typed[place] <= 0x7E), None)
    if end is None:
        return (1, "escape") if is_over else (0, "")
    return end + 1, ""


def _first_character(typed: bytes, *, is_over: bool) -> tuple[int, str]:
    if typed[:1] in SEQUENCES:
        return 1, SEQUENCES[typed[:1]]
    lead = typed[0]
    length = 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)
    if any(byte & 0xC0 != 0x80 for byte in typed[1:length]):  # not the rest of a character
        return 1, ""
    if len(typed) < length and not is_over:
        return 0, ""
    key = typed[:length].decode("utf-8", errors="replace")
    return length, key if key.isprintable() and key != "\ufffd" else ""


class Listener:
    """One of those who listen to the terminal; each hears every key."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal, self._waiting = terminal, deque[str]()

    def typed(self) -> list[str]:
        """Give the keys since the last look, oldest first; never waits."""
        self._terminal.look()
        return [self._waiting.popleft() for _ in range(len(self._waiting))]

    def hear(self, key: str) -> None:
        """Take note of a key."""
        self._waiting.append(key)

    def close(self) -> None:
        """Stop listening; the last one leaves the terminal as it was."""
        self._terminal.leave(self)


class Terminal:
    """A terminal in which keys come at once and unseen for as long as somebody listens; Ctrl-C still interrupts."""

    def __init__(self, descriptor: int) -> None:
        import termios  # noqa: PLC0415 - Windows has none
        import tty  # noqa: PLC0415

        self.descriptor, self._listeners = descriptor, list[Listener]()
        self._rest, self._heard_s = b"", 0.0
        self._before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)

    def listen(self) -> Listener:
        """Add a listener."""
        self._listeners.append(Listener(self))
        return self._listeners[-1]

    def look(self) -> None:
        """Tell everybody what was typed meanwhile."""
        now = time.monotonic()
        typed = self._read()
        if typed:
            self._heard_s = now
        keys, self._rest = parse(self._rest + typed, is_over=not typed and now - self._heard_s > _PATIENCE_S)
        for listener in self._listeners:
            for key in keys:
                listener.hear(key)

    def _read(self) -> bytes:
        """Read what is there. The line stays one that waits, since what is printed goes out over the same one."""
        try:
            is_typed = bool(select.select([self.descriptor], [], [], 0)[0])
            return os.read(self.descriptor, 1024) if is_typed else b""
        except OSError:  # the terminal was closed
            return b""

    def leave(self, listener: Listener) -> None:
        """Remove `listener`; after the last one everything is as it was."""
        if listener not in self._listeners:
            return
        self._listeners.remove(listener)
        if not self._listeners:
            import termios  # noqa: PLC0415 - Windows has none

            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self._before)
            _open.pop(self.descriptor, None)


_open: dict[int, Terminal] = {}
"""Terminals that somebody listens to; there is but one line to read, whoever wants the keys."""


def is_there() -> bool:
    """Whether keys can be read from a terminal."""
    return os.name == "posix" and sys.stdin.isatty()


def listen() -> Listener:
    """Listen to the terminal in which this program runs; raise `DeviceError` when there is none."""
    if os.name != "posix":
        raise DeviceError(
            "Keys are read from the terminal on Linux and macOS only. Use --teleop.type=gamepad or phone."
        )
    if not is_there():
        raise DeviceError(
            "Keys are read from the terminal, and this program runs in none (its input comes from a file or a pipe). "
            "Start it from a terminal, also over SSH, or choose another --teleop.type."
        )
    descriptor = sys.stdin.fileno()
    if descriptor not in _open:
        _open[descriptor] = Terminal(descriptor)
    return _open[descriptor].listen()
