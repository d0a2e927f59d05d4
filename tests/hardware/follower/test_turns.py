"""Motors that go beyond one turn count turns from where they got their power, and may be a turn beside."""

import pytest

from etude.core.errors import DeviceError
from etude.hardware import robots
from etude.hardware.device import connected


def test_a_motor_that_is_a_turn_beside_its_range_is_not_driven():
    robot = robots.build(robots.config("koch_follower")(port="sim:turned"))
    world = robot.scene
    elbow = world.arms.follower("koch", "turned").servos[2]
    elbow.memory.set("Homing_Offset", 4096)
    with pytest.raises(DeviceError, match=r"'elbow_flex' on sim:turned reads \d+, which is a turn beside its range"):
        robot.connect()
    assert not elbow.resists
    elbow.memory.set("Homing_Offset", 0)
    with connected(robot):
        assert elbow.resists
