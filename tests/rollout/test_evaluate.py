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
