"""A person's devices drive the simulated arm through its real driver."""

import numpy as np
import pytest

from etude.core.frame import STATE
from etude.envs.robot_env import RobotEnv
from etude.hardware import robots
from etude.hardware.bodies.so101 import SO101
from etude.hardware.device import connected
from etude.hardware.kinematics import DriverUnits, Kinematics
from etude.hardware.teleoperators.keyboard.config import Config
from etude.hardware.teleoperators.keyboard.keys import FedKeys
from etude.hardware.teleoperators.keyboard.teleoperator import build
from etude.rollout.driving import agent_for

HZ = 30
ARM, UNITS = Kinematics.of("so101"), DriverUnits(SO101)


class Drive:
    """The simulated arm, a person at the keyboard, and how far the hand went."""

    def __init__(self, robot, keyboard, keys):
        self.keys, self.env = keys, RobotEnv(robot, hz=HZ)
        self.agent = agent_for(keyboard, robot)
        self.frame = self.env.reset(0)
        self.agent.reset(0)

    def hand(self):
        return np.append(ARM.pose(UNITS.to_rad(self.frame[STATE].astype(float))).to_vector(), self.frame[STATE][-1])

    def hold(self, keys, seconds):
        before, farthest = self.hand(), 0.0
        for _ in range(round(seconds * HZ)):
            self.keys.press(*keys)
            joints = self.frame[STATE]
            self.frame = self.env.step(self.agent.act(self.frame)).frame
            farthest = max(farthest, np.abs(self.frame[STATE] - joints)[:-1].max())
        assert farthest < 240 / HZ + 1  # no joint is faster than the gate lets it
        return self.hand() - before


@pytest.fixture
def drive():
    """Take the wheel in one of the keyboard's modes."""
    robot = robots.build(robots.config("so101_follower")(port="sim", cameras={}))

    def begin(**config):
        keys = FedKeys()
        keyboard = build(Config(**config), lambda: keys, robot.scene.clock)
        keyboard.connect()
        return Drive(robot, keyboard, keys)

    with connected(robot):
        yield begin


def test_the_hand_goes_where_keys_say_and_stays(drive):
    arm = drive()
    arm.hold("t", 1.0)  # up, off the rest pose
    x, y, z, pitch, roll, grip = arm.hold("w", 1.0)
    assert x == pytest.approx(0.08, abs=0.025)
    assert abs(y) < 0.01
    assert abs(z) < 0.02
    assert abs(pitch) < 0.15
    assert abs(roll) < 0.05
    assert abs(grip) < 2
    arm.hold([], 1.0)
    assert np.abs(arm.hold([], 2.0)[:3]).max() < 0.003
    assert arm.hold("a", 1.0)[1] == pytest.approx(0.08, abs=0.025)
    assert arm.hold("o", 1.0)[5] > 30


def test_joints_turn_one_by_one(drive):
    arm = drive(mode="joints")
    before = arm.frame[STATE]
    arm.hold("a", 1.0)
    arm.hold([], 0.5)
    turned = arm.frame[STATE] - before
    assert turned[0] == pytest.approx(30, abs=5)
    assert np.abs(turned[1:]).max() < 3


def test_a_hand_pushed_against_the_end_of_its_reach_comes_back_smoothly(drive):
    arm = drive()
    arm.hold("t", 1.0)
    arm.hold("w", 6.0)
    out = arm.hand()
    assert np.linalg.norm(out[:3] - [0.0388, 0, 0.1166]) < 0.48
    assert arm.hold("s", 1.5)[0] < -0.05
