"""Rollouts side by side in one process, whose policy is asked for all of them at once: batches cost far less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etude.rollout.evaluate import Cast, Job, play
from etude.rollout.meeting import Ask, Meeting
from etude.rollout.metrics import Result

Done = Callable[[Job, Result, Cast], object]
"""Is told of each rollout when it is done."""


@dataclass(frozen=True, kw_only=True)
class Troupe:
    """Makes casts that share a policy."""

    cast: Callable[[Ask], Cast]
    """Makes an environment of its own and an agent that asks by the function given, in the thread they will live in."""
    answer: Callable[[Sequence[Any]], Sequence[Any]]
    """Asks the policy; the questions keep their places, none standing for one that is not asked."""


def perform(made: Cast | Troupe, parts: Sequence[Sequence[Job]], done: Done) -> None:
    """Do each part's jobs one after the other; a troupe does all parts side by side."""
    if isinstance(made, Cast):
        for job in (job for part in parts for job in part):
            done(job, play(made, job), made)
        return
    meeting = Meeting(made.answer)
    meeting.run([_work(made, part, meeting.ask, done) for part in parts if part])


def _work(troupe: Troupe, jobs: Sequence[Job], ask: Ask, done: Done) -> Callable[[], None]:
    def work() -> None:
        cast = troupe.cast(ask)
        try:
            for job in jobs:
                result = play(cast, job)
                done(job, replace(result, latencies_s=()), cast)  # they tell of waiting for one another
        finally:
            cast.env.close()

    return work
