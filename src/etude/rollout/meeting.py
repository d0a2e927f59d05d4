"""Pieces of work that take turns in one process, and now and then ask one question all together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

Ask = Callable[[Any], Any]
"""Gives the answer to a question; whoever asks waits until all others ask or are done."""


class Meeting:
    """Runs several pieces of work by turns, each in a thread of its own, only one at a time.

    A turn ends with a question (`ask`), or with the work. When everybody has asked or is done, `answer` gets the
    questions, one place for each piece of work, none for those that are done. So all goes in the same order each time.
    """

    def __init__(self, answer: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._answer = answer
        self._here = threading.local()

    def ask(self, question: Any) -> Any:
        """Ask, from within a piece of work."""
        return self._here.player.ask(question)

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of it; raise what any of it raises, after the others have been stopped at their next question."""
        players = [_Player(work, self._here) for work in works]
        try:
            while any(not player.is_over for player in players):
                for player in players:
                    player.take_turn()
                waiting = [player for player in players if not player.is_over]
                if waiting:
                    answers = self._answer([None if player.is_over else player.question for player in players])
                    for player, answer in zip(players, answers, strict=True):
                        player.answer = answer
        finally:
            for player in players:
                player.stop()


class _Stopped(BaseException):
    """Ends a piece of work that is no longer wanted."""


class _Player:
    """One piece of work."""

    def __init__(self, work: Callable[[], None], here: threading.local) -> None:
        self._work, self._here = work, here
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._error: BaseException | None = None
        self._is_stopped = self.is_over = False
        self.question: Any = None
        self.answer: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take_turn(self) -> None:
        """Go on until the next question or the end; raise what went wrong."""
        if self.is_over:
            return
        self._go.release()
        self._back.acquire()
        if self._error:
            raise self._error

    def ask(self, question: Any) -> Any:
        """End the turn with a question; give the answer at the next one."""
        self.question = question
        self._back.release()
        self._wait()
        return self.answer

    def stop(self) -> None:
        """End the work where it waits, if it has not ended."""
        self._is_stopped = True
        self._go.release()
        self._thread.join()

    def _wait(self) -> None:
        self._go.acquire()
        if self._is_stopped:
            raise _Stopped

    def _run(self) -> None:
        self._here.player = self
        try:
            self._wait()
            self._work()
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  it is raised again by `take_turn`
            self._error = error
        finally:
            self.is_over = True
            self._back.release()
