"""A simulated follower whose scene is set again."""

import numpy as np
import pytest

from etude.core.frame import STATE
from etude.hardware import robots
from etude.hardware.device import connected
from etude.sim.world import begin_world

HZ = 30


@pytest.fixture
def driven():
    """An arm that has caught up with its leader, and so may go fast; and the function that drove it."""
    world = begin_world()
    robot = robots.build(robots.config("so101_follower")(port="sim:arm"))

    def drive(pan, ticks):
        for _ in range(ticks):
            frame = robot.observe()
            applied = robot.apply(np.concatenate([[pan], frame[STATE][1:]]).astype(np.float32))
            world.clock.sleep_until(world.clock.now() + 1 / HZ)
        return applied[0]

    with connected(robot):
        start = robot.observe()[STATE][0]
        drive(start + 10, 60)
        yield world, robot, drive


def test_it_leaves_the_pose_it_was_in_already_as_gently_as_another(driven, monkeypatch):
    world, robot, drive = driven
    before = robot.observe()[STATE]
    joints = world.arm.joints
    monkeypatch.setattr(type(world.arm), "reset", lambda arm, _: np.copyto(arm._position, joints))
    world.reset(0)
    np.testing.assert_array_equal(robot.observe()[STATE], before)
    assert drive(before[0] + 60, 1) - before[0] == pytest.approx(60 / HZ, abs=0.2)


def test_without_a_reset_it_may_go_fast(driven):
    _, robot, drive = driven
    before = robot.observe()[STATE]
    assert drive(before[0] + 60, 1) - before[0] > 120 / HZ
