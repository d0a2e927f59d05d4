import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.envs import envs

gym_pusht = pytest.importorskip("gym_pusht")
import gymnasium  # noqa: E402

Config = envs.config("pusht")


def test_it_goes_as_gym_pusht_goes(built):
    env = built(Config())
    plain = gymnasium.make("gym_pusht/PushT-v0", obs_type="pixels_agent_pos")
    frame, (seen, _) = env.reset(5), plain.reset(seed=5)
    for action in np.random.default_rng(0).uniform(0, 512, (5, 2)).astype(np.float32):
        np.testing.assert_array_equal(frame["observation.image"], seen["pixels"])
        np.testing.assert_array_equal(frame["observation.state"], seen["agent_pos"].astype(np.float32))
        step, (seen, reward, *_) = env.step(action), plain.step(action)
        frame = step.frame
        assert step.reward == reward
    plain.close()


def test_by_points_there_is_no_picture(built):
    env = built(Config.keypoints())
    assert {key: spec.shape for key, spec in env.observation.items()} == {
        "observation.environment_state": (16,), "observation.state": (2,),
    }  # fmt: skip
    assert (env.hz, env.max_ticks) == (10, 300)


def test_a_t_in_its_outline_is_a_success(built):
    env = built(Config.keypoints())
    env.reset(0)
    plane = env.env.unwrapped
    plane.block.angle, plane.block.position = plane.goal_pose[2], plane.goal_pose[:2].tolist()
    step = env.step(np.float32([30, 30]))
    assert (step.reward, step.terminated, step.success) == (1.0, True, True)


def test_an_episode_ends_after_its_length(built):
    env = built(Config(obs_type="environment_state_agent_pos", episode_length=3))
    env.reset(0)
    assert [env.step(np.float32([9, 9])).truncated for _ in range(3)] == [False, False, True]


def test_a_length_that_makes_no_sense_is_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        Config(episode_length=0)
