import numpy as np
import pytest

from etude.sim.moves import GRASP_HEIGHT_M, HOLD_RAD, OPEN_RAD, Pose, Style, View
from etude.sim.tasks.pick_place.config import Config
from etude.sim.tasks.pick_place.task import BIN, BLOCKS, build

decide = build(Config()).decide
DOWN = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])


def view(hand, block, *, gripper=OPEN_RAD, grasped=False, axes=DOWN):
    return View(
        hand=np.array(hand, float),
        hand_axes=DOWN,
        gripper_rad=gripper,
        objects={"block": Pose(position=np.array(block, float), axes=axes)},
        grasped=frozenset({"block"} if grasped else ()),
    )


BLOCK = (*BLOCKS.center, 0.0125)
AIM = BLOCKS.center - np.array([0.01, 0])
"""The fixed finger is 20 mm beside the hand's place, where the block's half would have 8 mm left."""


def test_far_from_the_block_it_comes_from_above_with_open_fingers():
    wish = decide(view((0.20, 0.10, 0.15), BLOCK), Style())
    assert wish.position[2] > 0.05
    assert wish.gripper_rad == OPEN_RAD


def test_right_above_the_block_it_comes_down():
    wish = decide(view((*AIM, 0.08), BLOCK), Style())
    assert wish.position[2] < 0.05
    np.testing.assert_allclose(wish.position[:2], AIM, atol=1e-6)


def test_where_the_fixed_finger_would_stand_on_the_block_it_stays_above():
    over_the_edge = BLOCKS.center + np.array([0.012, 0])
    wish = decide(view((*over_the_edge, 0.06), BLOCK), Style())
    assert wish.position[2] > 0.07
    assert wish.gripper_rad == OPEN_RAD


def test_with_the_block_between_the_fingers_it_closes():
    wish = decide(view((*AIM, GRASP_HEIGHT_M), BLOCK), Style())
    assert wish.gripper_rad == HOLD_RAD


def test_it_goes_on_closing_while_the_moving_finger_pushes_the_block_to_the_fixed_one():
    at_the_fixed_finger = BLOCKS.center + np.array([0.008, 0])
    hand = (*at_the_fixed_finger, GRASP_HEIGHT_M)
    assert decide(view(hand, BLOCK, gripper=0.5 * OPEN_RAD), Style()).gripper_rad == HOLD_RAD
    assert decide(view(hand, BLOCK), Style()).gripper_rad == OPEN_RAD


def test_a_grasped_block_is_lifted_before_it_is_carried():
    low = decide(view((*BLOCKS.center, 0.02), BLOCK, gripper=0.14, grasped=True), Style())
    np.testing.assert_allclose(low.position[:2], BLOCKS.center, atol=1e-3)
    assert low.position[2] > 0.08
    high = decide(view((*BLOCKS.center, 0.10), (*BLOCKS.center, 0.095), gripper=0.14, grasped=True), Style())
    np.testing.assert_allclose(high.position[:2], BIN.center, atol=1e-6)


def test_over_the_bin_it_lets_go():
    over = (*BIN.center, 0.08)
    assert decide(view(over, over, gripper=0.14, grasped=True), Style()).gripper_rad == OPEN_RAD


def test_a_block_lost_on_the_way_is_approached_again():
    wish = decide(view((0.22, 0.06, 0.10), (0.22, 0.05, 0.0125), gripper=0.05), Style())
    assert wish.gripper_rad == OPEN_RAD


def roll_for(block_axes):
    return decide(view((0.2, 0, 0.1), BLOCK, axes=block_axes), Style()).roll


@pytest.mark.parametrize("yaw", np.linspace(-3, 3, 13))
def test_the_wrist_turns_to_the_nearest_faces_whichever_way_the_block_lies(yaw):
    turned = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    tipped = turned @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert abs(roll_for(turned)) <= np.pi / 4
    assert roll_for(tipped) == pytest.approx(roll_for(turned))
