"""An evaluation shared by several processes, each with an environment and an agent of its own.

A rollout depends on its seed alone, so who does it does not matter: the results are those of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from etude.rollout.evaluate import Cast, Job, Progress, Score
from etude.rollout.films import Films
from etude.rollout.member import Done, Make, Member, crew_of, heard, told
from etude.rollout.metrics import Result
from etude.rollout.troupe import perform

Gather = Callable[[int, Result, Any], object]
"""Is told the number of each rollout that is done, its result, and what it leaves besides (`Cast.leaves`)."""


def evaluate_together(
    make: Make,
    *,
    seeds: Sequence[int],
    num_processes: int,
    batch_size: int = 1,
    films: Films | None = None,
    progress: Progress = lambda *_: None,
    gather: Gather = lambda *_: None,
) -> Score:
    """Score what `make` makes, once for each seed, in up to `num_processes` processes; one means this one.

    Each process does `batch_size` rollouts side by side, where a troupe is made. Raises what went wrong in any of
    them or in `gather`, and `EtudeError` when one dies. None outlives the call.
    """
    record = _Record(len(seeds), films, progress, gather)
    jobs = [Job(index=index, seed=seed) for index, seed in enumerate(seeds)]
    num_processes = min(num_processes, -(-len(seeds) // batch_size))
    if num_processes <= 1:
        _alone(make, jobs, batch_size, record)
        return record.score()
    with crew_of(make, num_processes) as crew:
        _shared(crew, jobs, batch_size, record)
    return record.score()


class _Record:
    """What is known so far."""

    def __init__(self, num: int, films: Films | None, progress: Progress, gather: Gather) -> None:
        self._num, self._films, self._progress, self._gather = num, films, progress, gather
        self._results: dict[int, Result] = {}
        self._facts: Mapping[str, Any] = {}

    @property
    def is_complete(self) -> bool:
        return len(self._results) == self._num

    def filmed(self, job: Job) -> Job:
        """Say into which file a job is to be filmed, if at all."""
        if self._films is None:
            return job
        return replace(job, film=self._films.path(job.index), only_failure=self._films.is_for_failure(job.index))

    def add(self, done: Done) -> None:
        self._results[done.index], self._facts = done.result, done.facts
        if self._films:
            self._films.done(done.index, is_success=done.result.success)
        self._gather(done.index, done.result, done.left)
        self._progress(len(self._results), sum(result.success for result in self._results.values()))

    def score(self) -> Score:
        return Score(results=tuple(self._results[index] for index in range(self._num)), facts=self._facts)


def _alone(make: Make, jobs: list[Job], batch_size: int, record: _Record) -> None:
    made = make()
    try:
        for parts in _portions(jobs, 1, batch_size):
            filmed = [[record.filmed(job) for job in part] for part in parts]
            perform(made, filmed, lambda *done: record.add(told(*done)))
    finally:
        if isinstance(made, Cast):
            made.env.close()


def _shared(crew: list[Member], jobs: list[Job], batch_size: int, record: _Record) -> None:
    """Give one portion after the other to whoever is free."""
    waiting = _portions(jobs, len(crew), batch_size)[::-1]
    while not record.is_complete:
        for member in heard(crew):
            answer = member.answer()
            if isinstance(answer, Done):
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
