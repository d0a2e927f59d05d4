import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import etude.envs.gym  # noqa: F401 - registers the environments
from etude.envs import envs
from etude.hardware import teleoperators

SMALL = {"width": 32, "height": 24}
IDS = sorted(identity for identity in gymnasium.registry if identity.startswith("etude/"))


@pytest.fixture
def make():
    made = []

    def build(identity, **kwargs):
        made.append(gymnasium.make(identity, **SMALL, **kwargs))
        return made[-1]

    yield build
    for env in made:
        env.close()


def test_every_task_is_there_plain_and_hard():
    assert len(IDS) == 10
    assert {"etude/PickPlace-v0", "etude/PickPlaceHard-v0", "etude/Insert-v0"} <= set(IDS)


@pytest.mark.parametrize("identity", IDS)
def test_gymnasiums_own_checker_is_content(make, identity):
    check_env(make(identity, render_mode="rgb_array").unwrapped)


def test_a_seed_gives_the_scene_it_gives_everywhere(make):
    observation, _ = make("etude/Stack-v0").reset(seed=7)
    env = envs.build(envs.config("so101_stack")(**SMALL))
    frame = env.reset(7)
    env.close()
    np.testing.assert_array_equal(observation["pixels"]["front"], frame["observation.images.front"])
    np.testing.assert_array_equal(observation["agent_pos"], frame["observation.state"])


def test_without_a_seed_every_episode_is_another_and_all_follow_from_the_first_seed(make):
    env = make("etude/Push-v0")

    def three():
        scenes = [env.reset(seed=1)[0], env.reset()[0], env.reset()[0]]
        return [scene["pixels"]["front"] for scene in scenes]

    first, second = three(), three()
    assert not np.array_equal(first[1], first[2])
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_ends_of_the_action_space_are_the_ends_of_the_joints(make):
    env = make("etude/PickPlace-v0").unwrapped
    middle = np.array([0, 0, 0, 0, 2.79, 50], np.float32)
    np.testing.assert_allclose(env.normalized(middle), np.zeros(6), atol=2e-3)
    env.reset(seed=0)
    for _ in range(90):
        observation, *_ = env.step(np.array([0.5, -0.6, 0.5, 0.8, 0, 1], np.float32))
    assert observation["agent_pos"][0] == pytest.approx(55, abs=4)
    assert observation["agent_pos"][5] == pytest.approx(100, abs=4)


def test_a_demonstration_ends_it_with_a_reward_of_one(make):
    env = make("etude/PickPlace-v0")
    demonstrator = teleoperators.build(teleoperators.config("scripted")())
    env.reset(seed=1)
    demonstrator.connect()
    demonstrator.reset(1)
    rewards, is_over, info = [], False, {}
    while not is_over and (action := demonstrator.read()) is not None:
        _, reward, is_over, _, info = env.step(env.unwrapped.normalized(action))
        rewards.append(reward)
    demonstrator.disconnect()
    assert is_over
    assert info["is_success"]
    assert rewards[-1] == 1.0
    assert sum(rewards) == 1.0


def test_time_that_is_up_truncates(make):
    env = make("etude/PickPlace-v0", max_seconds=0.1)
    env.reset(seed=0)
    outcomes = [env.step(np.zeros(6, np.float32))[2:4] for _ in range(3)]
    assert outcomes == [(False, False), (False, False), (False, True)]


def test_several_in_one_process_do_not_share_a_table():
    both = gymnasium.make_vec("etude/PickPlace-v0", num_envs=2, vectorization_mode="sync", **SMALL)
    together, _ = both.reset(seed=[1, 2])
    for _ in range(3):
        together, *_ = both.step(np.tile(np.float32([0.2, -0.6, 0.5, 0.8, 0, 1]), (2, 1)))
    both.close()
    alone = gymnasium.make("etude/PickPlace-v0", **SMALL)
    alone.reset(seed=1)
    for _ in range(3):
        observation, *_ = alone.step(np.float32([0.2, -0.6, 0.5, 0.8, 0, 1]))
    alone.close()
    np.testing.assert_array_equal(together["pixels"]["front"][0], observation["pixels"]["front"])
