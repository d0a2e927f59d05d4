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
from etude.rollout.evaluate import Cast, Job, Progress, Score
from etude.rollout.films import Films
from etude.rollout.metrics import Result
from etude.rollout.troupe import Troupe, perform

Make = Callable[[], Cast | Troupe]
"""Sets the scene, in the process that calls it; must be picklable."""
_GOODBYE_S = 10.0


@dataclass(frozen=True)
class _Ready:
    pass


@dataclass(frozen=True)
class _Done:
    index: int
    result: Result
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
    batch_size: int = 1,
    max_ticks: int | None = None,
    films: Films | None = None,
    progress: Progress = lambda *_: None,
) -> Score:
    """Score what `make` makes, once for each seed, in up to `num_processes` processes; one means this one.

    Each process does `batch_size` rollouts side by side, where a troupe is made. Raises what went wrong in any of
    them, and `EtudeError` when one dies. None outlives the call.
    """
    record = _Record(len(seeds), films, progress)
    jobs = [Job(index=index, seed=seed, max_ticks=max_ticks) for index, seed in enumerate(seeds)]
    num_processes = min(num_processes, -(-len(seeds) // batch_size))
    if num_processes <= 1:
        _alone(make, jobs, batch_size, record)
        return record.score()
    crew: list[_Member] = []
    try:
        with _deaf_to_interrupts():
            crew += [_Member(make) for _ in range(num_processes)]
        _shared(crew, jobs, batch_size, record)
    except BaseException:
        for member in crew:
            member.kill()
        raise
    for member in crew:
        member.dismiss()
    return record.score()


class _Record:
    """What is known so far."""

    def __init__(self, num: int, films: Films | None, progress: Progress) -> None:
        self._num, self._films, self._progress = num, films, progress
        self._results: dict[int, Result] = {}
        self._facts: Mapping[str, Any] = {}

    @property
    def is_complete(self) -> bool:
        return len(self._results) == self._num

    def filmed(self, job: Job) -> Job:
        """Say into which file a job is to be filmed, if at all."""
        return replace(job, film=self._films.path(job.index)) if self._films else job

    def add(self, done: _Done) -> None:
        self._results[done.index], self._facts = done.result, done.facts
        if self._films:
            self._films.done(done.index, is_success=done.result.success)
        self._progress(len(self._results), sum(result.success for result in self._results.values()))

    def score(self) -> Score:
        return Score(results=tuple(self._results[index] for index in range(self._num)), facts=self._facts)


def _alone(make: Make, jobs: list[Job], batch_size: int, record: _Record) -> None:
    made = make()
    try:
        for parts in _portions(jobs, 1, batch_size):
            filmed = [[record.filmed(job) for job in part] for part in parts]
            perform(made, filmed, lambda *done: record.add(_told(*done)))
    finally:
        if isinstance(made, Cast):
            made.env.close()


def _shared(crew: list[_Member], jobs: list[Job], batch_size: int, record: _Record) -> None:
    """Give one portion after the other to whoever is free."""
    waiting = _portions(jobs, len(crew), batch_size)[::-1]
    while not record.is_complete:
        for member in _heard(crew):
            answer = member.answer()
            if isinstance(answer, _Done):
                record.add(answer)
            if waiting and member.is_free:
                member.give([[record.filmed(job) for job in part] for part in waiting.pop()])


def _portions(jobs: list[Job], num_processes: int, batch_size: int) -> list[list[list[Job]]]:
    """Divide jobs into what a process is given at once, and that into what is done side by side.

    Batches are divided among the processes beforehand, so that the same rollouts share a batch each time, whoever is
    faster; single jobs are not.
    """
    if batch_size == 1:
        return [[[job]] for job in jobs]
    places = [jobs[place :: num_processes * batch_size] for place in range(num_processes * batch_size)]
    return [places[start : start + batch_size] for start in range(0, len(places), batch_size)]


def _heard(crew: list[_Member]) -> list[_Member]:
    """Wait until somebody has something to say."""
    speaking = wait([member.link for member in crew])
    return [member for member in crew if member.link in speaking]


class _Member:
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

    def answer(self) -> _Ready | _Done:
        """Give what it said; raise what went wrong."""
        try:
            answer = self.link.recv()
        except (EOFError, ConnectionResetError) as error:
            raise self._died() from error
        if isinstance(answer, _Done):
            del self._doing[answer.index]
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
        seeds = list(self._doing.values())
        doing = f"in the rollout of seed {seeds[0]}" if seeds else "while it got ready"
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
            made = make()
            try:
                link.send(_Ready())
                while True:
                    perform(made, link.recv(), lambda *done: link.send(_told(*done)))
            finally:
                if isinstance(made, Cast):
                    made.env.close()
        except EtudeError as error:
            link.send(_Failed(str(error), error.exit_code))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception:  # noqa: BLE001  it is told where it can be seen
            link.send(_Failed(traceback.format_exc(), None))


def _told(job: Job, result: Result, cast: Cast) -> _Done:
    return _Done(job.index, result, cast.facts)
