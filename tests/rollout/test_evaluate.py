import numpy as np
import pytest

from etude.rollout.agents import ReplayAgent
from etude.rollout.evaluate import evaluate


def test_every_seed_is_run_once_and_successes_are_counted(counter):
    seen = []

    class Picky(counter):
        def step(self, action, wait):
            step = super().step(action, wait)
            return step if self.seed % 3 else type(step)(frame=step.frame, action=step.action, terminated=True)

    score = evaluate(
        Picky(goal=2),
        ReplayAgent(np.zeros((9, 1), np.float32)),
        seeds=range(10, 16),
        max_ticks=9,
        progress=lambda done, successes: seen.append((done, successes)),
    )
    assert (score.successes, score.n) == (4, 6)
    assert seen[-1] == (6, 4)
    assert str(score).startswith("4 of 6 succeeded: 67 % [30 to 90 at 95 %]")
    assert score.to_json()["success_rate"] == pytest.approx(2 / 3)


def test_what_the_player_of_chunks_knows_is_kept(counter):
    class Slow(ReplayAgent):
        latencies_s, num_held = [0.2, 0.4], 3

    (result,) = evaluate(counter(goal=2), Slow(np.zeros((9, 1), np.float32)), seeds=[5]).results
    assert (result.latencies_s, result.held_ticks, result.seed) == ((0.2, 0.4), 3, 5)


def test_an_environment_may_set_the_limit(counter):
    env = counter(goal=9, max_ticks=4)
    score = evaluate(env, ReplayAgent(np.zeros((9, 1), np.float32)), seeds=[0])
    assert score.results[0].ticks == 4
    assert evaluate(env, ReplayAgent(np.zeros((9, 1), np.float32)), seeds=[0], max_ticks=2).results[0].ticks == 2
