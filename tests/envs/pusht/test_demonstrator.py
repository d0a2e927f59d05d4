import numpy as np
import pytest

from etude.envs import envs
from etude.rollout.loop import rollout

pytest.importorskip("gym_pusht")

from etude.envs.pusht.demonstrator import Demonstrator


def test_it_brings_the_t_home_and_shows_the_same_thing_again():
    env, demonstrator = envs.build(envs.config("pusht").keypoints()), Demonstrator()
    first, again = (rollout(env, demonstrator, max_ticks=300, seed=14) for _ in range(2))
    env.close()
    assert first.success
    assert first.ticks == again.ticks < 100


def test_it_stays_in_the_field():
    env, demonstrator = envs.build(envs.config("pusht").keypoints()), Demonstrator()
    frame = env.reset(21)
    demonstrator.reset(21)
    goals = []
    for _ in range(30):
        goals.append(demonstrator.act(frame))
        frame = env.step(goals[-1]).frame
    env.close()
    assert np.min(goals) > 0
    assert np.max(goals) < 512
