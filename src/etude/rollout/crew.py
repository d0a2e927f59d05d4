"""An evaluation shared by several processes, each with an environment and an agent of its own.

A rollout depends on its seed alone, so who does it does not matter: the results are those of one process.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from etude.core.errors import EtudeError, UserError
from etude.rollout.evaluate import Cast, Job, Progress, Score, play, score_cast
from etude.rollout.films import Films
from etude.rollout.metrics import Result

Make = Callable[[], Cast]
"""Sets the scene, in the process that calls it; must be picklable."""
_GOODBYE_S = 10.0


@dataclass(frozen=True)
class _Ready:
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class _Failed:
    told: str
    exit_code: int | None
    """None for what nobody foresaw; `told` is then a traceback."""


def evaluate_together(
    make: Make,
    *,
    seeds: Sequence[int],
    num_processes: int,
    max_ticks: int | None = None,
    films: Films | None = None,
    progress: Progress = lambda *_: None,
) -> Score:
    """Score what `make` makes, once for each seed, in up to `num_processes` processes; one means this one.

    Raises what went wrong in any of them, and `EtudeError` when one dies. None outlives the call.
    """
    if min(num_processes, len(seeds)) <= 1:
        return _alone(make, seeds, max_ticks, films, progress)
    jobs = [Job(index=index, seed=seed, max_ticks=max_ticks) for index, seed in enumerate(seeds)]
    crew: list[_Member] = []
    try:
        with _deaf_to_interrupts():
            crew += [_Member(make) for _ in range(min(num_processes, len(seeds)))]
        score = _shared(crew, jobs, films, progress)
    except BaseException:
        for member in crew:
            member.kill()
        raise
    for member in crew:
        member.dismiss()
    return score


def _alone(make: Make, seeds: Sequence[int], max_ticks: int | None, films: Films | None, progress: Progress) -> Score:
    cast = make()
    try:
        return score_cast(cast, seeds=seeds, max_ticks=max_ticks, films=films, progress=progress)
    finally:
        cast.env.close()


def _shared(crew: list[_Member], jobs: list[Job], films: Films | None, progress: Progress) -> Score:
    """Hand out one job after the other to whoever is free."""
    results: dict[int, Result] = {}
    facts: Mapping[str, Any] = {}
    waiting = jobs[::-1]
    while len(results) < len(jobs):
        for member in _heard(crew):
            answer = member.answer()
            if isinstance(answer, _Ready):
                facts = answer.facts
            else:
                index = member.job.index
                results[index] = answer
                if films:
                    films.done(index, is_success=answer.success)
                progress(len(results), sum(result.success for result in results.values()))
            if waiting:
                member.give(waiting.pop(), films)
    return Score(results=tuple(results[job.index] for job in jobs), facts=facts)


def _heard(crew: list[_Member]) -> list[_Member]:
    """Wait until somebody has something to say."""
    speaking = wait([member.link for member in crew])
    return [member for member in crew if member.link in speaking]


class _Member:
    """One process of the crew, as its parent sees it."""

    job: Job

    def __init__(self, make: Make) -> None:
        context = multiprocessing.get_context("spawn")  # a forked child would inherit OpenGL, torch's threads and locks
        self.link, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def give(self, job: Job, films: Films | None) -> None:
        """Let it do `job`."""
        self.job = replace(job, film=films.path(job.index) if films else None)
        with suppress(BrokenPipeError):  # who is dead is heard of next
            self.link.send(self.job)

    def answer(self) -> _Ready | Result:
        """Give what it said; raise what went wrong."""
        try:
            answer = self.link.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._died() from error
        if not isinstance(answer, _Failed):
            return answer
        if answer.exit_code is None:
            raise RuntimeError(f"In a process of the evaluation:\n{answer.told}")
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
        doing = f"in the rollout of seed {self.job.seed}" if hasattr(self, "job") else "while it got ready"
        return EtudeError(
            f"A process of the evaluation died {doing} (exit code {self._process.exitcode}). If the memory was full, "
            "use fewer: --eval.num_processes=1."
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
            cast = make()
            try:
                link.send(_Ready(cast.facts))
                while True:
                    link.send(play(cast, link.recv()))
            finally:
                cast.env.close()
        except EtudeError as error:
            link.send(_Failed(str(error), error.exit_code))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception:  # noqa: BLE001  it is told where it can be seen
            link.send(_Failed(traceback.format_exc(), None))
