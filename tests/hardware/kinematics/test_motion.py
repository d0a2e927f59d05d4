"""What holds for every arm: round trips, limits, and that a hand in motion never makes a joint jump."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.hardware import bodies
from etude.hardware.kinematics import DriverUnits, FullPose, HandPose, Kinematics
from etude.hardware.kinematics.pose import rotation_of, rotation_vector

# Six joints as most arms with six have them: a shoulder of three, an elbow, a wrist; 0.3 m and 0.25 m long.
SIX = """<mujoco><compiler autolimits="true" angle="radian"/>
<default><joint range="-2.6 2.6"/><geom type="box" size="0.02 0.02 0.1"/></default><worldbody>
<body name="1" pos="0 0 0.2"><joint name="1" axis="0 0 1"/><geom/>
<body name="2"><joint name="2" axis="0 1 0"/><geom/>
<body name="3" pos="0 0 0.3"><joint name="3" axis="0 1 0"/><geom/>
<body name="4" pos="0 0 0.05"><joint name="4" axis="0 0 1"/><geom/>
<body name="5" pos="0 0 0.2"><joint name="5" axis="0 1 0"/><geom/>
<body name="6" pos="0 0 0.05"><joint name="6" axis="0 0 1"/><geom/><site name="tool" pos="0 0 0.06"/>
</body></body></body></body></body></body></worldbody></mujoco>"""
REACH_RAD = 0.1


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    path = tmp_path_factory.mktemp("arm") / "six.xml"
    path.write_text(SIX)
    return {name: Kinematics.of(name) for name in bodies.names()} | {"six": Kinematics.of(path)}


EVERY = [*bodies.names(), "six"]
shares = st.lists(st.floats(0.1, 0.9), min_size=6, max_size=6).map(np.array)


def at(arm, share):
    return arm.low + share[: arm.num_arm] * (arm.high - arm.low)


@pytest.mark.parametrize("name", EVERY)
class TestEveryArm:
    @given(share=shares)
    @settings(max_examples=20, deadline=None)
    def test_the_inverse_undoes_the_forward(self, arms, name, share):
        arm = arms[name]
        pose = arm.pose(at(arm, share))
        found = arm.inverse(pose, np.zeros(arm.num_arm))
        assert found.error_m < 1e-3
        np.testing.assert_allclose(arm.forward(found.joints)[0], pose.position, atol=1e-3)
        if found.is_there:
            np.testing.assert_allclose(arm.pose(found.joints).to_vector()[:3], pose.to_vector()[:3], atol=1e-3)

    @given(
        share=shares,
        path=st.lists(st.tuples(*[st.floats(-0.03, 0.03)] * 3, *[st.floats(-0.3, 0.3)] * 2), min_size=1, max_size=12),
    )
    @settings(max_examples=15, deadline=None)
    def test_on_any_path_of_small_steps_no_joint_jumps_or_passes_its_limits(self, arms, name, share, path):
        arm = arms[name]
        joints = at(arm, share)
        pose = arm.pose(joints)
        for *by, pitch, roll in path:
            pose = pose.moved(np.array(by), pitch=pitch, roll=roll)
            found = arm.follow(pose, joints, reach_rad=REACH_RAD)
            assert np.abs(found.joints - joints).max() <= REACH_RAD + 1e-9
            assert np.all((found.joints >= arm.low - 1e-9) & (found.joints <= arm.high + 1e-9))
            joints = found.joints

    @given(share=shares)
    @settings(max_examples=10, deadline=None)
    def test_the_jacobian_is_the_slope_of_the_forward(self, arms, name, share):
        arm = arms[name]
        joints, tiny = at(arm, share), 1e-6
        jacobian, (position, rotation) = arm.jacobian(joints), arm.forward(joints)
        for joint in range(arm.num_arm):
            moved, turned = arm.forward(joints + tiny * np.eye(arm.num_arm)[joint])
            np.testing.assert_allclose((moved - position) / tiny, jacobian[:3, joint], atol=1e-5)
            np.testing.assert_allclose(rotation_vector(turned @ rotation.T) / tiny, jacobian[3:, joint], atol=1e-5)

    def test_a_target_far_away_is_pointed_at_and_not_thrashed_about(self, arms, name):
        arm = arms[name]
        joints = at(arm, np.full(6, 0.55))
        far = arm.pose(joints).moved(np.array([3.0, 0.5, 0.5]))
        seen = []
        for _ in range(60):
            joints = arm.follow(far, joints, reach_rad=REACH_RAD).joints
            seen.append(joints)
        assert np.abs(np.diff(seen[-5:], axis=0)).max() < 1e-2

    def test_where_the_hand_stands_beyond_a_limit_it_comes_back(self, arms, name):
        arm = arms[name]
        outside = arm.high + 0.3
        found = arm.follow(arm.pose(outside), outside, reach_rad=REACH_RAD)
        assert np.all(found.joints <= arm.high + 1e-9)

    def test_a_pose_becomes_numbers_and_back(self, arms, name):
        arm = arms[name]
        pose = arm.pose(at(arm, np.linspace(0.3, 0.7, 6)))
        again = arm.pose_from(pose.to_vector())
        assert type(again) is type(pose)
        np.testing.assert_allclose(again.to_vector(), pose.to_vector(), atol=1e-9)


def test_what_can_be_chosen_depends_on_the_joints(arms):
    assert isinstance(arms["so101"].pose(np.zeros(5)), HandPose)
    assert isinstance(arms["six"].pose(np.zeros(6)), FullPose)


def test_six_joints_reach_whole_poses(arms):
    arm, rng = arms["six"], np.random.default_rng(0)
    found = [arm.inverse(arm.pose(rng.uniform(0.8 * arm.low, 0.8 * arm.high)), np.zeros(6)) for _ in range(40)]
    assert sum(one.is_there for one in found) >= 39


@given(st.tuples(*[st.floats(-1, 1)] * 3).map(np.array), st.floats(0, np.pi))
def test_rotation_vectors_and_matrices_are_two_ways_to_say_it(axis, angle):
    if np.linalg.norm(axis) < 1e-3:
        return
    vector = axis / np.linalg.norm(axis) * angle
    rotation = rotation_of(vector)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(rotation_of(rotation_vector(rotation)), rotation, atol=1e-6)


class TestLowestPoint:
    def test_a_box_that_hangs_down_is_told_exactly(self, arms):
        # All boxes stand upright; that of the second link is centred on its joint at 0.2 m and 0.2 m long.
        assert arms["six"].lowest_point(np.zeros(6)) == pytest.approx(0.2 - 0.1)

    def test_leaning_over_brings_the_hand_to_the_table(self, arms):
        arm = arms["so101"]
        heights = [arm.lowest_point(np.array([0, lean, 0, 0, 0, 0])) for lean in np.linspace(0, 1.6, 9)]
        assert heights[0] > 0.1
        assert heights[-1] < -0.15
        assert np.all(np.diff(heights) < 1e-9)

    @given(share=shares, pan=st.floats(-1.9, 1.9))
    @settings(max_examples=20, deadline=None)
    def test_turning_about_the_vertical_changes_nothing(self, arms, share, pan):
        arm = arms["so101"]
        joints = np.append(at(arm, share), 0.5)
        turned = np.append(pan, joints[1:])
        assert arm.lowest_point(turned) == pytest.approx(arm.lowest_point(joints), abs=1e-9)


def test_driver_units_are_degrees_and_shares_of_the_gripper():
    units = DriverUnits(bodies.body("so101"))
    low, high = bodies.body("so101").links[-1].range_rad
    driven = np.array([90.0, 0, 0, 0, -45, 50])
    np.testing.assert_allclose(units.to_rad(driven), [np.pi / 2, 0, 0, 0, -np.pi / 4, (low + high) / 2])
    np.testing.assert_allclose(units.from_rad(units.to_rad(driven)), driven)
    np.testing.assert_allclose(units.to_rad(driven[:5]), units.to_rad(driven)[:5])
