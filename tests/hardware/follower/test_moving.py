"""A follower's observations and actions: units, packets, limits."""

from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import SpecMismatch
from etude.core.frame import STATE
from etude.hardware import robots
from etude.hardware.robots.so101_follower.kind import MOTORS


def test_degrees_and_the_gripper_from_0_to_100(arm, robot):
    arm.position[:] = [np.pi / 6, 0, 0, 0, -np.pi / 4, 0.75]
    arm.velocity[:] = 0
    arm.rest()
    np.testing.assert_allclose(robot.observe()[STATE], [30, 0, 0, 0, -45, 75], atol=0.3)


def test_without_degrees_joints_go_from_minus_100_to_100(arm, config):
    arm.position[:] = 0.75
    arm.rest()
    robot = robots.build(replace(config, use_degrees=False))
    robot.connect()
    np.testing.assert_allclose(robot.observe()[STATE], [50, 50, 50, 50, 50, 75], atol=0.3)
    robot.disconnect()


def test_an_action_moves_the_arm(arm, robot):
    goal = np.array([20, -15, 10, 5, -25, 60], np.float32)
    for _ in range(60):
        robot.apply(goal)
        arm.rest(1 / 30)
        frame = robot.observe()
    np.testing.assert_allclose(frame[STATE], goal, atol=1.0)
    assert robot.clipped == ()


def test_one_packet_each_way_per_tick_and_now_and_then_how_a_motor_feels(arm, robot):
    arm.line.sent.clear()
    for _ in range(30):
        robot.observe()
        robot.apply(np.zeros(6, np.float32))
        arm.rest(1 / 30)
    asked = [packet[4:7].hex(" ") for packet in arm.line.sent]
    assert asked[:5] == ["82 38 02", "02 3c 06", "83 2a 02", "82 38 02", "83 2a 02"]
    assert asked.count("02 3c 06") == 4
    assert len(asked) == 64
    assert list(robot.health().motors) == list(MOTORS)[:4]


def test_what_is_too_far_is_clipped_and_told(arm, robot):
    applied = robot.apply(np.array([500, 0, 0, 0, 0, 50], np.float32))
    assert 0 < applied[0] < 5
    assert robot.clipped[0] == "shoulder_pan.pos is beyond its limits: asked for 500.0, given 86.0"


def test_reach_by_motor(arm, config):
    robot = robots.build(replace(config, max_relative_target={"gripper": 1.0}))
    robot.connect()
    applied = robot.apply(np.array([1.5, 0, 0, 0, 0, 51.9], np.float32))
    assert applied[0] == 1.5
    assert applied[5] == pytest.approx(51.0, abs=0.05)
    robot.disconnect()


@pytest.mark.parametrize("wrong", [np.zeros(5, np.float32), np.zeros(6), np.zeros((1, 6), np.float32)])
def test_an_action_of_another_shape_is_refused(robot, wrong):
    with pytest.raises(SpecMismatch, match="'action' should be float32"):
        robot.apply(wrong)
