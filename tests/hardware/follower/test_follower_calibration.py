"""Where a follower takes its calibration from, and with what it must agree."""

from dataclasses import replace

import numpy as np
import pytest

from etude.core.errors import DeviceError
from etude.core.frame import STATE
from etude.hardware import robots
from etude.hardware.calibration import load_calibration, save_calibration
from etude.hardware.device import connected


def test_without_a_file_the_motors_own_ranges_count(arm, config):
    robot = robots.build(replace(config, id="blue"))
    with connected(robot):
        without = robot.observe()
    robot = robots.build(config)
    with connected(robot):
        np.testing.assert_allclose(robot.observe()["observation.state"], without["observation.state"], atol=0.2)


def test_new_motors_without_a_file_are_to_be_calibrated(arm, config):
    for servo in arm.servos:
        servo.memory.set("Min_Position_Limit", 0)
        servo.memory.set("Max_Position_Limit", 4095)
    with pytest.raises(DeviceError, match=r"not calibrated.*no file .*blue\.json.*etude calibrate --robot.type"):
        robots.build(replace(config, id="blue")).connect()


def test_motors_that_disagree_with_the_file_are_refused(arm, config):
    arm.servos[1].memory.set("Homing_Offset", 77)
    with pytest.raises(DeviceError, match=r"'shoulder_lift' .* homing_offset is 77 in the motor and 0 in the file"):
        robots.build(config).connect()


def test_a_file_of_another_arm_is_refused(arm, config):
    path = config.calibration_dir / "red.json"
    stored = load_calibration(path)
    save_calibration(path, {"elbow_flex": stored["elbow_flex"]})
    with pytest.raises(DeviceError, match="says nothing of shoulder_pan, shoulder_lift, wrist_flex"):
        robots.build(config).connect()


def test_the_order_in_the_file_does_not_matter(arm, config):
    path = config.calibration_dir / "red.json"
    save_calibration(path, dict(reversed(load_calibration(path).items())))
    arm.position[0] = 0.5
    arm.rest()
    robot = robots.build(config)
    robot.connect()
    assert robot.observe()[STATE].argmax() in (0, 5)
    assert robot.observe()[STATE][0] == pytest.approx(np.degrees(0.5), abs=0.1)
    robot.disconnect()
