import numpy as np
import pytest

from etude.core.errors import ConfigError, DeviceError
from etude.hardware.bodies.so101 import SO101
from etude.sim.moves import Style
from etude.sim.teleoperators.scripted.config import Config
from etude.sim.teleoperators.scripted.pushes import Pushes
from etude.sim.teleoperators.scripted.teleoperator import build
from etude.sim.world import shared_world


def test_styles_differ_by_seed_and_stay_human():
    styles = [Style.sample(np.random.default_rng(seed)) for seed in range(50)]
    speeds = [style.speed for style in styles]
    assert 0.7 <= min(speeds) < 0.8
    assert 1.1 < max(speeds) <= 1.2


def test_pushes_come_in_bursts_with_pauses_and_grow_with_strength():
    def push(strength):
        pushes = Pushes(np.random.default_rng(0), strength)
        return np.stack([pushes.at(tick / 30, 1 / 30) for tick in range(900)])

    gentle, hard = push(0.2), push(1.0)
    size = np.abs(hard).max(axis=1)
    assert np.mean(size < 0.005) > 0.1
    assert np.mean(size > 0.03) > 0.1
    assert gentle.std() == pytest.approx(0.2 * hard.std(), rel=0.01)


def test_the_same_seed_gives_the_same_demonstration():
    world, demonstrator = shared_world(), build(Config(noise=0.5))
    demonstrator.connect()

    def first_commands():
        world.reset(3)
        demonstrator.reset(3)
        commands = []
        for _ in range(5):
            commands.append(demonstrator.read())
            world.clock.sleep_until(world.clock.now() + 1 / 30)
        return np.stack(commands)

    np.testing.assert_allclose(first_commands(), first_commands(), atol=1e-3)
    demonstrator.disconnect()


def test_what_it_would_do_is_told_without_doing_it():
    world, demonstrator = shared_world(), build(Config(noise=0.5, pause_s=0.5))
    demonstrator.connect()

    def commands(asked):
        world.reset(3)
        demonstrator.reset(3)
        told = []
        for _ in range(20):
            told.append(demonstrator.read())
            opinions = [demonstrator.consider() for _ in range(asked)]
            assert all(np.isfinite(wish.position).all() for _, wish in opinions)
            world.clock.sleep_until(world.clock.now() + 1 / 30)
        return np.stack(told)

    np.testing.assert_array_equal(commands(0), commands(3))
    view, wish = demonstrator.consider()
    assert np.linalg.norm(wish.position[:2] - view.objects["block"].position[:2]) < 0.1, "it wants to pick it first"
    demonstrator.disconnect()


def test_commands_fit_the_action_spec_and_stay_within_the_joints():
    world, demonstrator = shared_world(), build(Config.tiny())
    demonstrator.connect()
    world.reset(0)
    demonstrator.reset(0)
    command = demonstrator.read()
    demonstrator.action.check("action", command)
    assert demonstrator.action.names == tuple(f"{joint}.pos" for joint in SO101.joints)
    assert 0 <= command[-1] <= 100
    demonstrator.disconnect()


def test_it_gives_up_after_its_time():
    world, demonstrator = shared_world(), build(Config(max_seconds=0.1))
    demonstrator.connect()
    demonstrator.reset(0)
    assert demonstrator.read() is not None
    world.clock.sleep_until(world.clock.now() + 0.2)
    assert demonstrator.read() is None
    demonstrator.disconnect()


def test_it_leaves_the_arm_alone_once_disconnected():
    world, demonstrator = shared_world(), build(Config(noise=1.0))
    demonstrator.connect()
    demonstrator.reset(0)
    for _ in range(60):
        demonstrator.read()
        world.clock.sleep_until(world.clock.now() + 1 / 30)
    demonstrator.disconnect()
    world.clock.sleep_until(world.clock.now() + 0.01)
    np.testing.assert_array_equal(world.data.qfrc_applied[:6], 0)


def test_reading_unconnected_says_so():
    with pytest.raises(DeviceError, match="not connected"):
        build(Config()).read()


@pytest.mark.parametrize("noise", [-0.1, 1.5])
def test_noise_outside_its_range_is_refused(noise):
    with pytest.raises(ConfigError, match="noise"):
        Config(noise=noise)
