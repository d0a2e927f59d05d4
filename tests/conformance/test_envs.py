"""Every environment keeps the same promises; a new folder under envs/ gets these tests by being found."""

import numpy as np
import pytest

from etude.core.codec import decode, encode
from etude.core.errors import MissingExtra, UserError
from etude.core.frame import check
from etude.envs import envs
from etude.envs.env import Env

REFUSED = {"xarm"}
"""Known by name, and explained where they are chosen; they never run."""


@pytest.fixture
def env(name):
    if name in REFUSED:
        pytest.skip(f"{name} is refused")
    try:
        env = envs.build(envs.config(name).tiny())
    except MissingExtra as missing:
        pytest.skip(str(missing))
    yield env
    env.close()


def trajectory(env, seed, ticks=6):
    rng = np.random.default_rng(0)
    frames, applied = [env.reset(seed)], []
    for _ in range(ticks):
        step = env.step(env.action.example(rng))
        frames.append(step.frame)
        applied.append(step.action)
    return frames, np.stack(applied)


@pytest.mark.parametrize("name", envs.names())
class TestEveryEnv:
    def test_it_is_an_env(self, env):
        assert isinstance(env, Env)
        assert env.hz > 0
        assert env.max_ticks is None or env.max_ticks > 0

    def test_frames_fit_the_observation_specs(self, env):
        check(env.observation, env.reset(0))
        check(env.observation, env.step(env.action.example()).frame)

    def test_the_applied_action_fits_its_spec(self, env):
        env.reset(0)
        env.action.check("action", env.step(env.action.example()).action)

    def test_the_same_seed_gives_the_same_episode_whatever_came_before(self, env):
        frames, applied = trajectory(env, seed=3)
        trajectory(env, seed=4)
        again, applied_again = trajectory(env, seed=3)
        np.testing.assert_array_equal(applied, applied_again)
        for one, other in zip(frames, again, strict=True):
            for key in env.observation:
                np.testing.assert_array_equal(one[key], other[key], err_msg=key)

    def test_another_seed_gives_another_start(self, env):
        one, other = env.reset(1), env.reset(2)
        assert any(not np.array_equal(one[key], other[key]) for key in env.observation)

    def test_a_tick_takes_its_time_without_anybody_waiting(self, env):
        env.reset(0)
        before = env.clock.now()
        env.step(env.action.example())
        assert env.clock.now() - before == pytest.approx(1 / env.hz)

    def test_closing_twice_is_harmless(self, env):
        env.close()
        env.close()

    def test_its_config_survives_storing(self, name):
        config = envs.config(name).tiny()
        assert decode(type(config), encode(config)) == config


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_refused_says_why(name):
    with pytest.raises(UserError, match="needs"):
        envs.build(envs.config(name)())
