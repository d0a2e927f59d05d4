import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.rollout.agents import ReplayAgent
from etude.rollout.evaluate import evaluate, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_rate_and_stays_within_0_and_1(n, data):
    successes = data.draw(st.integers(0, n))
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high <= 1


def test_nothing_known_without_rollouts():
    assert wilson(0, 0) == (0.0, 1.0)


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
