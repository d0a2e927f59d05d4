"""Processes that do rollouts, each with an environment and an agent of its own, seen by the one that starts them."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from etude.core.errors import EtudeError, UserError
from etude.rollout.evaluate import Cast, Job
from etude.rollout.metrics import Result
from etude.rollout.troupe import Troupe, perform

Make = Callable[[], Cast | Troupe]
"""Sets the scene, in the process that calls it; must be picklable."""
_GOODBYE_S = 10.0


@dataclass(frozen=True)
class Ready:
    """It can be given something to do."""


@dataclass(frozen=True)
class Done:
    """A rollout is done."""

    index: int
    result: Result
    facts: Mapping[str, Any]
    left: Any = None


@dataclass(frozen=True)
class Failed:
    """It could not go on."""

    told: str
    exit_code: int | None
    """None for what nobody foresaw; `told` is then a traceback."""


@contextmanager
def crew_of(make: Make, num: int) -> Generator[list[Member]]:
    """Start `num` processes for the length of a block; none outlives it."""
    crew: list[Member] = []
    try:
        with _deaf_to_interrupts():
            crew += [Member(make) for _ in range(num)]
        yield crew
    except BaseException:
        for member in crew:
            member.kill()
        raise
    for member in crew:
        member.dismiss()


def heard(crew: list[Member]) -> list[Member]:
    """Wait until somebody has something to say."""
    speaking = wait([member.link for member in crew])
    return [member for member in crew if member.link in speaking]


class Member:
    """One process of the crew, as its parent sees it."""

    def __init__(self, make: Make) -> None:
        context = multiprocessing.get_context("spawn")  # a forked child would inherit OpenGL, torch's threads and locks
        self._doing: dict[int, int] = {}
        """Seeds of the rollouts that it has still to do, by number."""
        self.link, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def is_free(self) -> bool:
        """Whether it has nothing to do."""
        return not self._doing

    def give(self, parts: list[list[Job]]) -> None:
        """Let it do the jobs of `parts`."""
        self._doing = {job.index: job.seed for part in parts for job in part}
        with suppress(BrokenPipeError):  # who is dead is heard of next
            self.link.send(parts)

    def answer(self) -> Ready | Done:
        """Give what it said; raise what went wrong."""
        try:
            answer = self.link.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._died() from error
        if isinstance(answer, Done):
            del self._doing[answer.index]
        if not isinstance(answer, Failed):
            return answer
        if answer.exit_code is None:
            raise RuntimeError(f"In a process that does rollouts:\n{answer.told}")
        raise (UserError if answer.exit_code == UserError.exit_code else EtudeError)(answer.told)

    def dismiss(self) -> None:
        """Let it close what it holds, and end."""
        self.link.close()
        self._process.join(_GOODBYE_S)
        self.kill()

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def _died(self) -> EtudeError:
        self._process.join(_GOODBYE_S)
        seeds = list(self._doing.values())
        doing = f"in the rollout of seed {seeds[0]}" if seeds else "while it got ready"
        return EtudeError(
            f"A process that does rollouts died {doing} (exit code {self._process.exitcode}). If the memory was full, "
            "use fewer processes: --num_processes=1, or --eval.num_processes=1 where that is its name."
        )


@contextmanager
def _deaf_to_interrupts() -> Generator[None]:
    """Start processes that Ctrl-C does not reach: the one who started them hears it, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(make: Make, link: Connection) -> None:
    """Do jobs until there is nobody left to do them for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            made = make()
            try:
                link.send(Ready())
                while True:
                    perform(made, link.recv(), lambda *done: link.send(told(*done)))
            finally:
                if isinstance(made, Cast):
                    made.env.close()
        except EtudeError as error:
            link.send(Failed(str(error), error.exit_code))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception:  # noqa: BLE001  it is told where it can be seen
            link.send(Failed(traceback.format_exc(), None))


def told(job: Job, result: Result, cast: Cast) -> Done:
    """Tell of a rollout what goes to another process."""
    return Done(job.index, result, cast.facts, cast.leaves())
