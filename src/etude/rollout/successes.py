"""Rollouts shared by several processes until so many have succeeded as are wanted, such as demonstrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etude.rollout.evaluate import Job
from etude.rollout.member import Done, Make, Member, crew_of, heard
from etude.rollout.metrics import Result

Gather = Callable[[Result, Any], object]
"""Is told the result of a rollout and what it leaves besides (`Cast.leaves`)."""


def succeed_together(
    make: Make, *, first_seed: int, wanted: int, num_processes: int, max_ticks: int | None, gather: Gather
) -> None:
    """Do rollouts of the seeds from `first_seed` on, until `wanted` of them have succeeded.

    `gather` is told of them in the order of their seeds, up to the last success that is wanted: the same ones for any
    number of processes. Raises what went wrong in any of them or in `gather`; no process outlives the call.
    """
    ledger = _Ledger(first_seed, wanted, gather)
    with crew_of(make, min(num_processes, wanted)) as crew:
        while not ledger.is_complete:
            _employ(crew, ledger, max_ticks)
            for member in heard(crew):
                answer = member.answer()
                if isinstance(answer, Done):
                    ledger.add(answer)


def _employ(crew: list[Member], ledger: _Ledger, max_ticks: int | None) -> None:
    for member in crew:
        if member.is_free and ledger.needs_more:
            index, seed = ledger.begin()
            member.give([[Job(index=index, seed=seed, max_ticks=max_ticks)]])


class _Ledger:
    """Which rollouts have begun, are done, and were told of.

    No more are under way than could still be wanted, so that none is done in vain.
    """

    def __init__(self, first_seed: int, wanted: int, gather: Gather) -> None:
        self._first_seed, self._wanted, self._gather = first_seed, wanted, gather
        self._num_begun = self._num_told = self._num_under_way = self._num_succeeded = 0
        self._done: dict[int, Done] = {}

    @property
    def needs_more(self) -> bool:
        """Whether another one would be wanted even if all that are under way succeed."""
        return self._num_succeeded + self._num_under_way < self._wanted

    @property
    def is_complete(self) -> bool:
        """Whether all that were wanted are done."""
        return not self.needs_more and not self._num_under_way

    def begin(self) -> tuple[int, int]:
        """Give the number and the seed of the next rollout."""
        index = self._num_begun
        self._num_begun += 1
        self._num_under_way += 1
        return index, self._first_seed + index

    def add(self, done: Done) -> None:
        """Take what was done, and tell of all before which none is missing."""
        self._num_under_way -= 1
        self._num_succeeded += done.result.success
        self._done[done.index] = done
        while self._num_told in self._done:
            next_one = self._done.pop(self._num_told)
            self._num_told += 1
            self._gather(next_one.result, next_one.left)
