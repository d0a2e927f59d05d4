import numpy as np
import pytest

from etude.envs import envs
from etude.hardware import teleoperators
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.loop import rollout


@pytest.fixture
def env():
    env = envs.build(envs.config("so101_pick_place")(width=16, height=12, max_seconds=15))
    yield env
    env.close()


def applied_after(env, *seeds):
    for seed in seeds:
        env.reset(seed)
    return np.stack([env.step(np.zeros(6, np.float32)).action for _ in range(4)])


def test_a_reset_to_a_pose_close_by_is_a_fresh_start_too(env):
    """The scenes of these seeds start within two degrees of each other, less than a joint moves in a tick."""
    for seed in (2, 4, 7, 15, 16, 19):
        alone = applied_after(env, seed)
        np.testing.assert_array_equal(applied_after(env, seed + 1, seed), alone)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_demonstrator_puts_the_block_into_the_bin(env, noise):
    demonstrator = teleoperators.build(teleoperators.config("scripted")(noise=noise))
    demonstrator.connect()
    agent = TeleoperatorAgent(demonstrator)
    outcomes = [rollout(env, agent, seed=seed, max_ticks=450) for seed in (0, 1, 2)]
    demonstrator.disconnect()
    assert [outcome.success for outcome in outcomes] == [True, True, True]
    assert all(1.5 < outcome.duration_s < 15 for outcome in outcomes)
    assert len({outcome.ticks for outcome in outcomes}) > 1
    assert not any(outcome.late_ticks for outcome in outcomes)


def test_a_block_that_lies_still_is_no_success(env):
    env.reset(0)
    hold = env.robot.observe()["observation.state"]
    assert not any(env.step(hold).success for _ in range(10))
