"""Connecting a follower: its motors are set up, held where they are, and let go again when that fails."""

from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import ConfigError, DeviceError, MotorSilent
from etude.hardware import arm as arm_module
from etude.hardware import robots
from etude.hardware.robots.so101_follower.kind import MOTORS


class TestConnecting:
    def test_the_motors_are_set_up_as_lerobot_does(self, arm, robot):
        everywhere = {
            "Return_Delay_Time": 0, "Maximum_Acceleration": 254, "Acceleration": 254, "Operating_Mode": 0,
            "P_Coefficient": 16, "I_Coefficient": 0, "D_Coefficient": 32, "Torque_Enable": 1, "Lock": 1,
        }  # fmt: skip
        assert {name: arm.registers(name) for name in everywhere} == {name: [v] * 6 for name, v in everywhere.items()}
        assert arm.registers("Max_Torque_Limit") == [1000] * 5 + [500]
        assert arm.registers("Protection_Current") == [500] * 5 + [250]
        assert arm.registers("Overload_Torque") == [80] * 5 + [25]

    def test_the_set_up_outlives_the_power(self, arm, robot):
        for servo in arm.servos:
            servo.power_cycle()
        assert arm.registers("P_Coefficient") == [16] * 6

    def test_turn_counting_is_switched_off(self, arm, config):
        arm.servos[2].memory.set("Phase", 12 | 16)
        robot = robots.build(config)
        robot.connect()
        assert arm.registers("Phase") == [12] * 6
        robot.disconnect()

    def test_what_is_right_already_is_not_written_again(self, arm, config):
        for _ in range(2):
            arm.line.sent.clear()
            robot = robots.build(config)
            robot.connect()
            robot.disconnect()
        eeprom_writes = [packet for packet in arm.line.sent if packet[4] == 3 and packet[5] < 40]
        assert eeprom_writes == []

    def test_the_arm_holds_where_it_is(self, arm, config):
        arm.position[:] = [0.3, -0.2, 0.1, 0.0, 0.7, -1.0]
        arm.rest()
        before = arm.position.copy()
        robot = robots.build(config)
        robot.connect()
        arm.rest(0.5)
        np.testing.assert_allclose(arm.position, before, atol=0.005)
        robot.disconnect()

    def test_a_goal_that_is_lost_makes_no_motor_jump(self, arm, config, monkeypatch):
        answer = arm.line.answer
        monkeypatch.setattr(arm.line, "answer", lambda data: b"" if data[4] == 0x83 else answer(data))  # sync writes
        for servo in arm.servos:
            servo.memory.set("Goal_Position", 3000)
        robot = robots.build(config)
        robot.connect()
        arm.rest(0.5)
        np.testing.assert_allclose(arm.position, 0, atol=0.01)
        robot.disconnect()

    def test_twice_is_as_once(self, arm, robot):
        arm.line.sent.clear()
        robot.connect()
        assert arm.line.sent == []

    def test_a_silent_motor_is_named_and_the_line_is_closed(self, arm, config):
        arm.servos[3].is_silent = True
        with pytest.raises(MotorSilent, match=r"'wrist_flex' \(id 4\) .* do answer: 1, 2, 3, 5, 6"):
            robots.build(config).connect()
        assert not arm.line.is_open
        assert arm.registers("Torque_Enable") == [0] * 6

    def test_another_model_is_refused(self, arm, config):
        arm.servos[0].memory.set("Model_Number", 2825)
        with pytest.raises(DeviceError, match=r"'shoulder_pan' .* has model number 2825, not 777"):
            robots.build(config).connect()

    def test_when_setting_up_fails_the_torque_is_off(self, arm, config, monkeypatch):
        def fail(arm):
            arm.bus.sync_write("Torque_Enable", dict.fromkeys(MOTORS, 1))
            raise DeviceError("no")

        monkeypatch.setattr(arm_module.Arm, "hold", fail)
        with pytest.raises(DeviceError, match="no"):
            robots.build(config).connect()
        assert arm.registers("Torque_Enable") == [0] * 6
        assert not arm.line.is_open


class TestConfig:
    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            ({"max_speed": 0.0}, "max_speed should be positive"),
            ({"num_read_retries": -1}, "num_read_retries should not be negative"),
            ({"max_relative_target": -1.0}, "max_relative_target should be positive"),
            ({"max_relative_target": {"griper": 1.0}}, "max_relative_target names griper; the motors are shoulder_pan"),
        ],
    )
    def test_values_that_make_no_sense(self, config, arm, values, problem):
        with pytest.raises(ConfigError, match=problem):
            robots.build(replace(config, **values))
