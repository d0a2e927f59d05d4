"""While an arm comes to rest at the end: a second Escape lets it go at once."""

from __future__ import annotations

import _thread
import threading
from contextlib import ExitStack

from etude.cli.console import say
from etude.cli.keys import ESCAPE, Keys, listening

_LOOK_S = 0.05


class Leaving:
    """Listens for Escape from `begin` to `end`, in a thread, and interrupts whatever the command does meanwhile."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._is_over, self._open = threading.Event(), ExitStack()

    def begin(self) -> None:
        """Listen, if there is a keyboard, and say so."""
        keys = self._open.enter_context(listening())
        if not keys.is_heard:
            return
        say(self._message)
        thread = threading.Thread(target=self._watch, args=(keys,), name="second escape", daemon=True)
        thread.start()
        self._open.callback(thread.join)
        self._open.callback(self._is_over.set)

    def end(self) -> None:
        """Stop listening; harmless when it was not begun."""
        self._open.close()

    def _watch(self, keys: Keys) -> None:
        while not self._is_over.wait(_LOOK_S):
            if ESCAPE in keys.pressed():
                _thread.interrupt_main()
                return
