"""A follower goes to rest and is let go, whatever happens on the way."""

from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import DeviceError, MotorSilent
from etude.hardware import arm as arm_module
from etude.hardware import robots
from etude.hardware.robots.so101_follower.kind import MOTORS

from .conftest import HIGH, LOW


class TestLeaving:
    def test_the_torque_is_released(self, arm, robot):
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open
        robot.disconnect()

    def test_unless_told_otherwise(self, arm, config):
        robot = robots.build(replace(config, disable_torque_on_disconnect=False))
        robot.connect()
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [1] * 6

    def test_a_motor_that_cannot_be_reached_does_not_keep_the_others_stiff(self, arm, robot):
        arm.servos[0].is_silent = True
        with pytest.raises(MotorSilent, match="shoulder_pan"):
            robot.disconnect()
        assert arm.registers("Torque_Enable")[1:] == [0] * 5
        assert not arm.line.is_open

    def test_an_overloaded_gripper_is_released_without_a_word(self, arm, robot):
        arm.servos[5].drive.supply_v = 3.0
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_when_disconnected_it_says_so(self, arm, config):
        robot = robots.build(config)
        for use in (robot.observe, lambda: robot.apply(np.zeros(6, np.float32))):
            with pytest.raises(DeviceError, match=r"The arm on /dev/ttyTEST is not connected"):
                use()


class TestRest:
    def test_it_folds_before_it_is_let_go(self, arm, config):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -40.0, "elbow_flex": 30.0}))
        robot.connect()
        began = arm.clock.time
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        np.testing.assert_allclose(np.degrees(arm.position[[1, 2]]), [-40, 30], atol=6)
        assert arm.clock.time - began > 1.5, "gently"

    def test_a_joint_that_is_held_back_is_not_forced(self, arm, config, monkeypatch):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()
        live = arm.rest

        def stuck(seconds):
            live(seconds)
            arm.position[1] = arm.velocity[1] = 0.0

        monkeypatch.setattr(arm.clock, "_live", stuck)
        robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert arm.clock.time < 2

    def test_a_second_ctrl_c_lets_go_at_once(self, arm, config, monkeypatch):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()

        def interrupt(seconds):
            raise KeyboardInterrupt

        monkeypatch.setattr(arm.clock, "_live", interrupt)
        with pytest.raises(KeyboardInterrupt):
            robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open

    def test_however_hurried_somebody_is_no_motor_stays_stiff(self, arm, robot, monkeypatch):
        let_go, calls = arm_module.Arm._let_go, []

        def interrupted(self, motor):
            calls.append(motor)
            if len(calls) == 3:
                raise KeyboardInterrupt
            let_go(self, motor)

        monkeypatch.setattr(arm_module.Arm, "_let_go", interrupted)
        with pytest.raises(KeyboardInterrupt):
            robot.disconnect()
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_it_is_never_sent_beyond_its_range(self, arm, robot):
        assert robot.arm.rest_ticks({"shoulder_lift": -400.0, "gripper": 400.0}) == {
            "shoulder_lift": pytest.approx(LOW, abs=1),
            "gripper": pytest.approx(HIGH, abs=1),
        }

    def test_an_arm_in_trouble_is_not_moved(self, arm, config):
        robot = robots.build(replace(config, rest_pose={"shoulder_lift": -60.0}))
        robot.connect()
        for servo in arm.servos:
            servo.drive.temperature_c = 66.0
        robot.observe()
        began = arm.clock.time
        robot.disconnect()
        assert arm.clock.time == began
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_an_arm_that_could_not_be_connected_is_let_go_where_it_is(self, arm, config, monkeypatch):
        def fail(arm):
            arm.bus.sync_write("Torque_Enable", dict.fromkeys(MOTORS, 1))
            raise DeviceError("no")

        monkeypatch.setattr(arm_module.Arm, "hold", fail)
        with pytest.raises(DeviceError, match="no"):
            robots.build(replace(config, rest_pose={"shoulder_lift": -60.0})).connect()
        assert arm.clock.time < 0.1
        assert arm.registers("Torque_Enable") == [0] * 6
