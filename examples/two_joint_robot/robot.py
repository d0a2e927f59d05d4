"""The two-joint robot: what it is made of is all there is to say."""

from __future__ import annotations

from etude.hardware.arm_kind import ArmKind
from etude.hardware.bus import Motor
from etude.hardware.follower import Follower
from two_joint_robot.config import Config

TWO_JOINTS = ArmKind(
    name="two_joints",
    bus="feetech",
    motors={"joint_0": Motor(id=1, model="sts3215"), "joint_1": Motor(id=2, model="sts3215")},
    gripper=None,
    settings={"": {"Operating_Mode": 0, "P_Coefficient": 16}},
    rest={"joint_1": 0.0},
)


def build(config: Config) -> Follower:
    """Make the robot; it is not connected yet."""
    return Follower(TWO_JOINTS, config)
