from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import UserError
from etude.core.frame import STATE
from etude.core.spec import Spec
from etude.hardware.arm_kind import ArmKind
from etude.hardware.bodies.so101 import SO101
from etude.hardware.bus import Motor
from etude.hardware.kinematics import DriverUnits, Kinematics
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.driving import REACH, agent_for
from etude.rollout.hand import LONGEST_STEP_RAD

JOINTS = SO101.joints
KIND = ArmKind(
    name="so_follower", bus="feetech", motors={name: Motor(id=1, model="sts3215") for name in JOINTS}, body="so101"
)
READY = np.array([0.0, -30.0, 45.0, 60.0, 10.0, 50.0])
HAND = tuple(f"hand.{axis}.step" for axis in ("x", "y", "z", "pitch", "roll"))


def spec(names):
    names = tuple(names)
    return Spec(shape=(len(names),), names=names)


def robot(joints=JOINTS, **more):
    names = spec(f"{joint}.pos" for joint in joints)
    return SimpleNamespace(name="arm", action=names, observation={STATE: names}, **more)


class Given:
    """A teleoperator that wants what it is given."""

    def __init__(self, names, wanted=None, **more):
        self.action, self.wanted, self.seeds = spec(names), wanted, []
        vars(self).update(more)

    def reset(self, seed):
        self.seeds.append(seed)

    def read(self):
        return None if self.wanted is None else np.array(self.wanted, np.float32)


def steps(**wanted):
    names = [*HAND, "gripper.step"]
    values = {name.replace(".", "_").removesuffix("_step"): 0.0 for name in names} | wanted
    return Given(names, list(values.values()))


def drive(agent, measured, ticks=1, follow=True):
    """The goals of some ticks on an arm that goes where it is sent, or stays where it is."""
    goals = []
    for _ in range(ticks):
        goals.append(agent.act({STATE: np.array(measured, np.float32)}))
        measured = goals[-1] if follow else measured
    return np.array(goals)


def test_a_leader_of_the_same_joints_is_followed_as_it_is():
    leader = Given([f"{joint}.pos" for joint in JOINTS], range(6))
    agent = agent_for(leader, robot())
    assert isinstance(agent, TeleoperatorAgent)
    np.testing.assert_array_equal(agent.act({}), range(6))


def test_joints_named_in_another_order_are_put_in_order():
    agent = agent_for(Given(["b.pos", "a.pos"], [2, 1]), robot(["a", "b"]))
    agent.reset(4)
    np.testing.assert_array_equal(agent.act({}), [1, 2])


def test_a_leader_in_other_units_is_refused():
    names = [f"{joint}.pos" for joint in JOINTS]
    with pytest.raises(UserError, match="degrees and the robot takes -100 to 100"):
        agent_for(Given(names, uses_degrees=True), robot(uses_degrees=False))
    agent_for(Given(names, uses_degrees=True), robot(uses_degrees=True))


@pytest.mark.parametrize("names", [["joint_0.pos"], ["wheel.step"], [f"{joint}.pos" for joint in JOINTS[:4]]])
def test_what_does_not_fit_is_refused_with_the_names(names):
    with pytest.raises(UserError, match=r"does not fit the robot: it .*keyboard.*--teleop\.joints shoulder_pan"):
        agent_for(Given(names), robot(kind=KIND))


def test_a_hand_needs_a_body_and_degrees():
    with pytest.raises(UserError, match="robot's body must be known"):
        agent_for(steps(), robot())
    with pytest.raises(UserError, match="told in degrees"):
        agent_for(steps(), robot(kind=KIND, uses_degrees=False))
    with pytest.raises(UserError, match="either the hand or elbow_flex"):
        agent_for(Given([*HAND, "elbow_flex.step"]), robot(kind=KIND))


class TestJointSteps:
    def agent(self, **wanted):
        return agent_for(Given([f"{joint}.step" for joint in wanted], list(wanted.values())), robot())

    def test_they_start_where_the_arm_is_and_add_up(self):
        goals = drive(self.agent(elbow_flex=1.5, gripper=-2), READY, 3)
        np.testing.assert_allclose(goals[:, 2], READY[2] + [1.5, 3, 4.5])
        np.testing.assert_allclose(goals[:, 5], READY[5] - [2, 4, 6])
        np.testing.assert_allclose(goals[:, [0, 1, 3, 4]], READY[[0, 1, 3, 4]][None].repeat(3, 0))

    def test_they_never_lead_further_than_a_reach(self):
        goals = drive(self.agent(elbow_flex=4), READY, 20, follow=False)
        assert goals[:, 2].max() == READY[2] + REACH

    def test_without_steps_an_arm_that_sags_is_held_where_it_was_wanted(self):
        agent = self.agent(shoulder_lift=0)
        drive(agent, READY)
        sagging = READY + np.array([0, 3, 0, 0, 0, 0])
        np.testing.assert_allclose(drive(agent, sagging, 5, follow=False), READY[None].repeat(5, 0))

    def test_a_reset_forgets(self):
        agent = self.agent(elbow_flex=1)
        drive(agent, READY, 3)
        agent.reset(7)
        np.testing.assert_allclose(drive(agent, READY + 5)[0][2], READY[2] + 6)

    def test_what_is_not_a_number_is_no_step(self):
        np.testing.assert_allclose(drive(self.agent(elbow_flex=np.nan), READY)[0], READY)

    def test_the_end_of_a_demonstration_is_passed_on(self):
        agent = self.agent(elbow_flex=1)
        agent._teleoperator.wanted = None
        assert agent.act({STATE: READY}) is None


class TestHandSteps:
    UNITS = DriverUnits(SO101)
    ARM = Kinematics.of("so101")

    def pose(self, action):
        return self.ARM.pose(self.UNITS.to_rad(np.asarray(action, np.float64))).to_vector()

    @pytest.mark.parametrize("axis", range(5))
    def test_the_hand_goes_along_the_axis_that_was_asked_for(self, axis):
        name = ("hand_x", "hand_y", "hand_z", "hand_pitch", "hand_roll")[axis]
        goals = drive(agent_for(steps(**{name: 0.004}), robot(kind=KIND, uses_degrees=True)), READY, 5)
        moved = self.pose(goals[-1]) - self.pose(READY)
        expected = np.zeros(5)
        expected[axis] = 0.02 if axis < 4 else -0.02  # an SO-101's wrist counts roll the other way
        np.testing.assert_allclose(moved, expected, atol=2e-3)
        assert goals[-1][5] == READY[5]

    def test_no_step_leaves_the_joints_alone(self):
        goals = drive(agent_for(steps(), robot(kind=KIND)), READY, 5)
        np.testing.assert_allclose(goals, READY[None].repeat(5, 0))

    def test_the_gripper_is_a_joint(self):
        assert drive(agent_for(steps(gripper=2), robot(kind=KIND)), READY, 2)[-1][5] == READY[5] + 4

    def test_at_the_end_of_its_reach_the_hand_stops_and_comes_back_at_once(self):
        teleoperator = steps(hand_x=0.01)
        agent = agent_for(teleoperator, robot(kind=KIND))
        out = drive(agent, READY, 60)[-1]
        assert 0.30 < self.pose(out)[0] < 0.48
        teleoperator.wanted[0] = -0.01
        back = drive(agent, out, 6)[-1]  # the joints turn far for the first millimetres of a straight arm
        assert self.pose(back)[0] < self.pose(out)[0] - 0.015

    @given(st.lists(st.tuples(*[st.floats(-0.02, 0.02)] * 3, *[st.floats(-0.1, 0.1)] * 2), min_size=5, max_size=30))
    @settings(max_examples=30, deadline=None)
    def test_no_joint_ever_jumps_or_leaves_its_limits(self, path):
        teleoperator = steps()
        agent = agent_for(teleoperator, robot(kind=KIND))
        here = READY
        low, high = np.array([link.range_rad for link in SO101.links]).T
        for step in path:
            teleoperator.wanted = [*step, 0.0]
            there = drive(agent, here)[0]
            joints = self.UNITS.to_rad(there.astype(np.float64))
            assert np.abs(joints - self.UNITS.to_rad(np.float64(here))).max() < LONGEST_STEP_RAD + 1e-5
            assert np.all((joints > low - 1e-5) & (joints < high + 1e-5))
            here = there


URDF = """<robot name="crane">
<link name="base"/><link name="column"/><link name="boom"/><link name="jib"/><link name="tip"/>
<joint name="pan" type="continuous"><parent link="base"/><child link="column"/><axis xyz="0 0 1"/></joint>
<joint name="lift" type="continuous"><parent link="column"/><child link="boom"/><axis xyz="0 1 0"/></joint>
<joint name="fold" type="continuous"><parent link="boom"/><child link="jib"/><origin xyz="0.3 0 0"/><axis xyz="0 1 0"/>
</joint><joint name="end" type="fixed"><parent link="jib"/><child link="tip"/><origin xyz="0.2 0 0"/></joint></robot>"""


def test_a_robot_of_ones_own_needs_a_model_file_only(tmp_path):
    (tmp_path / "crane.urdf").write_text(URDF)
    motors = {name: Motor(id=1, model="x") for name in ("lamp", "pan", "lift", "fold")}
    kind = ArmKind(name="crane", bus="x", motors=motors, gripper="lamp", body=str(tmp_path / "crane.urdf"))
    with pytest.raises(UserError, match="it moves gripper, which the robot does not have"):
        agent_for(steps(), robot(motors, kind=kind))
    with pytest.raises(UserError, match="joint of the model named 'lamp'"):
        agent_for(Given(["hand.z.step"]), robot(motors, kind=replace(kind, gripper=None)))
    agent = agent_for(Given(["hand.z.step"], [0.01]), robot(motors, kind=kind))
    goal = drive(agent, [7.0, 0, -30, 60], 3)[-1]
    arm = Kinematics.of(kind.body)
    moved = arm.forward(np.radians(goal[1:]))[0] - arm.forward(np.radians([0, -30, 60]))[0]
    np.testing.assert_allclose(moved, [0, 0, 0.03], atol=2e-3)
    assert goal[0] == 7


def test_two_arms_are_driven_by_their_prefixes():
    both = [f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS]
    arms = robot(both, kinds={"left_": KIND, "right_": KIND})
    agent = agent_for(Given(["right_hand.z.step", "left_gripper.step"], [0.01, 3.0]), arms)
    goal = drive(agent, np.tile(READY, 2))[0]
    np.testing.assert_allclose(goal[:6] - READY, [0, 0, 0, 0, 0, 3], atol=1e-5)
    moved = TestHandSteps().pose(goal[6:]) - TestHandSteps().pose(READY)
    np.testing.assert_allclose(moved[:3], [0, 0, 0.01], atol=1e-3)
