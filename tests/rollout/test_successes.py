"""Rollouts shared by processes until enough have succeeded; of the walks of seeds 0 to 19, some arrive."""

import pytest

from etude.core.errors import EtudeError
from etude.rollout.crew import evaluate_together
from etude.rollout.successes import succeed_together


def told(make, **options):
    """Give the seed of every rollout that was told of, whether it succeeded, and who did it."""
    rollouts = []
    succeed_together(make, **options, gather=lambda result, left: rollouts.append((result.seed, result.success, left)))
    return rollouts


@pytest.mark.parametrize("num_processes", [1, 3])
def test_the_first_seeds_that_succeed_are_told_of_in_order(make, num_processes):
    alone = evaluate_together(make(), seeds=range(20), num_processes=1).results
    arrived = [result.seed for result in alone if result.success]
    rollouts = told(make(), first_seed=0, wanted=3, num_processes=num_processes, max_ticks=None)
    assert [seed for seed, _, _ in rollouts] == list(range(len(rollouts)))
    assert [seed for seed, success, _ in rollouts if success] == arrived[:3]
    assert len({process for _, _, process in rollouts}) <= num_processes


def test_no_rollout_is_longer_than_asked_for(make):
    seeds = [result.seed for result in evaluate_together(make(), seeds=range(20), num_processes=1).results]
    assert len(seeds) == 20
    ticks = []
    with pytest.raises(_EnoughError):
        succeed_together(
            make(), first_seed=0, wanted=1, num_processes=1, max_ticks=1, gather=lambda result, _: _count(ticks, result)
        )
    assert ticks == [1] * 5


class _EnoughError(Exception):
    pass


def _count(ticks, result):
    ticks.append(result.ticks)
    if len(ticks) == 5:
        raise _EnoughError


def test_a_process_that_dies_ends_it(make):
    with pytest.raises(EtudeError, match="died in the rollout of seed 4"):
        told(make("dies"), first_seed=4, wanted=1, num_processes=2, max_ticks=None)
