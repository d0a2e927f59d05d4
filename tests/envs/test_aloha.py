import numpy as np
import pytest

from etude.envs import envs

pytest.importorskip("gym_aloha")
Config = envs.config("aloha")


def test_the_picture_is_the_one_that_gym_aloha_draws(built):
    import gymnasium

    env = built(Config(task="AlohaTransferCube-v0"))
    frame = env.reset(3)
    plain = gymnasium.make("gym_aloha/AlohaTransferCube-v0", obs_type="pixels_agent_pos", disable_env_checker=True)
    seen, _ = plain.reset(seed=3)
    np.testing.assert_array_equal(frame["observation.images.top"], seen["pixels"]["top"])
    np.testing.assert_array_equal(frame["observation.state"], seen["agent_pos"].astype(np.float32))
    plain.close()


def test_fourteen_joints_by_name(built):
    env = built(Config.tiny())
    assert env.action.names == env.observation["observation.state"].names
    assert len(env.action.names) == 14
    assert env.observation["observation.images.top"].shape == (24, 32, 3)


def test_joints_go_where_they_are_sent_beyond_what_the_action_space_says(built):
    env = built(Config.tiny())
    target = env.reset(0)["observation.state"].copy()
    target[1], target[2] = -1.3, 1.4
    for _ in range(19):
        state = env.step(target).frame["observation.state"]
    assert state[1] == pytest.approx(-1.3, abs=0.1)
    assert state[2] == pytest.approx(1.4, abs=0.1)
