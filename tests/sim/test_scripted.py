import numpy as np
import pytest

from etude.core.errors import ConfigError, DeviceError
from etude.hardware.bodies.so101 import SO101
from etude.sim.scene import BIN_CENTER, BLOCK_AREA_CENTER
from etude.sim.teleoperators.scripted.config import Config
from etude.sim.teleoperators.scripted.plan import GRASP_HEIGHT_M, HOLD_RAD, OPEN_RAD, Style, View, decide
from etude.sim.teleoperators.scripted.pushes import Pushes
from etude.sim.teleoperators.scripted.teleoperator import build
from etude.sim.world import shared_world

DOWN = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])


def view(hand, block, *, gripper=OPEN_RAD, grasped=False):
    return View(
        hand=np.array(hand, float),
        hand_axes=DOWN,
        gripper_rad=gripper,
        block=np.array(block, float),
        block_axes=np.eye(3),
        is_grasped=grasped,
    )


BLOCK = (*BLOCK_AREA_CENTER, 0.0125)


def test_far_from_the_block_it_comes_from_above_with_open_fingers():
    wish = decide(view((0.20, 0.10, 0.15), BLOCK), Style())
    assert wish.position[2] > 0.05
    assert wish.gripper_rad == OPEN_RAD


def test_right_above_the_block_it_comes_down():
    hand = np.append(BLOCK_AREA_CENTER, 0.08)
    block_axes = view(hand, BLOCK)
    wish = decide(block_axes, Style())
    assert wish.position[2] < 0.05
    np.testing.assert_allclose(wish.position[:2], BLOCK_AREA_CENTER, atol=1e-6)


def test_with_the_block_between_the_fingers_it_closes():
    wish = decide(view((*BLOCK_AREA_CENTER, GRASP_HEIGHT_M), BLOCK), Style())
    assert wish.gripper_rad == HOLD_RAD


def test_a_grasped_block_is_lifted_before_it_is_carried():
    low = decide(view((*BLOCK_AREA_CENTER, 0.02), BLOCK, gripper=0.14, grasped=True), Style())
    np.testing.assert_allclose(low.position[:2], BLOCK_AREA_CENTER, atol=1e-3)
    assert low.position[2] > 0.08
    high = decide(view((*BLOCK_AREA_CENTER, 0.10), (*BLOCK_AREA_CENTER, 0.095), gripper=0.14, grasped=True), Style())
    np.testing.assert_allclose(high.position[:2], BIN_CENTER, atol=1e-6)


def test_over_the_bin_it_lets_go():
    over = (*BIN_CENTER, 0.08)
    assert decide(view(over, over, gripper=0.14, grasped=True), Style()).gripper_rad == OPEN_RAD


def test_a_block_lost_on_the_way_is_approached_again():
    wish = decide(view((0.22, 0.06, 0.10), (0.22, 0.05, 0.0125), gripper=0.05), Style())
    assert wish.gripper_rad == OPEN_RAD


def roll_for(block_axes):
    return decide(View(**(vars(view((0.2, 0, 0.1), BLOCK)) | {"block_axes": block_axes})), Style()).roll


@pytest.mark.parametrize("yaw", np.linspace(-3, 3, 13))
def test_the_wrist_turns_to_the_nearest_faces_whichever_way_the_block_lies(yaw):
    turned = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    tipped = turned @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert abs(roll_for(turned)) <= np.pi / 4
    assert roll_for(tipped) == pytest.approx(roll_for(turned))


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
