"""Leader arms: nothing holds them, but for a gripper that springs back."""

import numpy as np
import pytest

from etude.core.errors import ConfigError
from etude.hardware import robots, teleoperators
from etude.hardware.device import connected


def leader(name, **options):
    return teleoperators.build(teleoperators.config(name)(port="sim", **options))


@pytest.mark.parametrize("name", ["so100_leader", "so101_leader"])
def test_its_torque_is_off(name):
    with connected(arm := leader(name)):
        torque = arm.arm.bus.sync_read("Torque_Enable")
    assert set(torque.values()) == {0}


def test_without_degrees_it_tells_shares_of_the_range():
    with connected(arm := leader("so101_leader", use_degrees=False)):
        in_shares = arm.read()
        in_degrees = arm.arm.degrees(in_shares)
    assert np.abs(in_shares).max() <= 100
    # The lift's range is 100 degrees either way, the elbow's 96.8.
    assert in_degrees[1] == pytest.approx(in_shares[1], abs=0.2)
    assert in_degrees[2] == pytest.approx(in_shares[2] * 0.968, abs=0.2)


def test_a_motor_that_does_not_answer_keeps_its_position_and_is_told_of():
    with connected(arm := leader("so101_leader")):
        arm.read()
        assert arm.events == ()
        arm.arm.bus.line.arm.wire.faults.silence(3)
        arm.read()
        assert arm.events == ("Motor 'elbow_flex' of the leader did not answer; its position is an earlier one.",)
        arm.arm.bus.line.arm.wire.faults.clear()
        arm.read()
        assert arm.events == ()


class TestKoch:
    def test_the_gripper_alone_is_held_open(self):
        with connected(arm := leader("koch_leader", gripper_open_pos=60.0)):
            bus = arm.arm.bus
            assert bus.sync_read("Torque_Enable") == dict.fromkeys(arm.kind.motors, 0) | {"gripper": 1}
            assert bus.read("Goal_Position", "gripper") == arm.arm.ticks(np.full(6, 60.0))["gripper"]
            assert bus.read("Operating_Mode", "gripper") == 5
            assert bus.read("Operating_Mode", "elbow_flex") == 4

    def test_it_is_let_go_in_the_end(self):
        arm = leader("koch_leader")
        with connected(arm):
            bus = arm.arm.bus
        bus.open()
        assert set(bus.sync_read("Torque_Enable").values()) == {0}
        bus.close()

    def test_its_elbow_is_turned_in_the_motor_and_not_in_the_arithmetic(self):
        with connected(arm := leader("koch_leader")):
            assert arm.arm.calibration["elbow_flex"].drive_mode == 1
            ticks = arm.arm.bus.sync_read("Present_Position")["elbow_flex"]
            low, high = (getattr(arm.arm.calibration["elbow_flex"], f"range_{end}") for end in ("min", "max"))
            # The leader waves: it may have moved a little between the two questions.
            assert arm.read()[2] == pytest.approx((ticks - low) / (high - low) * 200 - 100, abs=1)

    def test_a_gripper_opens_from_0_to_100(self):
        with pytest.raises(ConfigError, match="gripper_open_pos should be from 0 to 100"):
            leader("koch_leader", gripper_open_pos=120.0)


def test_a_koch_follower_is_set_up_as_lerobot_does():
    robot = robots.build(robots.config("koch_follower")(port="sim:koch"))
    with connected(robot):
        bus = robot.arm.bus
        assert bus.sync_read("Return_Delay_Time") == dict.fromkeys(robot.kind.motors, 0)
        assert bus.sync_read("Operating_Mode") == dict.fromkeys(robot.kind.motors, 4) | {"gripper": 5}
        gains = [bus.read(f"Position_{letter}_Gain", "elbow_flex") for letter in "PID"]
        assert gains == [1500, 0, 600]
        assert set(bus.sync_read("Torque_Enable").values()) == {1}
