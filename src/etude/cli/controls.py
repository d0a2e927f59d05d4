"""A person's wishes while a robot moves: keys, Ctrl-C and SIGTERM, gathered so that each tick ends in good order."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

from etude.cli.keys import ESCAPE, LEFT, SPACE, Keys, listening

C = TypeVar("C", bound="Controls")


class Controls:
    """What the person wants now, see `etude.rollout.steering.Wishes`."""

    def __init__(self, keys: Keys, signals: list[int], *, ctrl_c_ends: bool) -> None:
        self._keys, self._signals, self._ctrl_c_ends = keys, signals, ctrl_c_ends
        self.is_ended = self.is_held = False
        self.key: str | None = None
        """What ended the rollout: right, left or escape."""
        self.has_keys = keys.is_heard

    def begin(self) -> None:
        """Get ready for the next rollout; whether the arm is held stays as it is."""
        self.is_ended, self.key = False, None

    def look(self) -> None:
        """Take note of what was pressed since the last look."""
        if self._signals and not self._ctrl_c_ends:
            raise KeyboardInterrupt
        if self._signals:
            self.key, self.is_ended = ESCAPE, True
        for key in self._keys.pressed():
            if key == SPACE:
                self.is_held = not self.is_held
            elif self.key != ESCAPE:
                self.key, self.is_ended = key, True

    @property
    def wants_stop(self) -> bool:
        """Whether the whole command is to end."""
        return self.key == ESCAPE

    @property
    def wants_again(self) -> bool:
        """Whether the episode is to be shown again."""
        return self.key == LEFT


@contextmanager
def interruptible() -> Generator[None]:
    """Let SIGTERM, and the end of the terminal, interrupt a block as Ctrl-C does: an arm is left in good order."""

    def interrupt(number: int, _: object) -> None:
        if number != signal.SIGTERM:  # a terminal that goes says so more than once
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: action for number in numbers if (action := signal.getsignal(number)) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def controls(*, ctrl_c_ends: bool, kind: type[C] = Controls) -> Generator[C]:
    """Listen to keys and signals for the length of a block; `kind` says what they mean.

    The first Ctrl-C ends a rollout when its tick is over: as Escape does, or as an interruption. The second one
    interrupts at once.
    """
    received: list[int] = []

    def remember(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with listening() as keys:
            yield kind(keys, received, ctrl_c_ends=ctrl_c_ends)
    finally:
        for number, action in before.items():
            signal.signal(number, action)
