import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.hardware.bodies.so101 import SO101
from etude.hardware.kinematics import HandPose, Kinematics

LOW, HIGH = np.array([link.range_rad for link in SO101.links[:5]]).T
ARM = Kinematics.of("so101")
PITCH_JOINTS = np.array([0.0, 1.0, 1.0, 1.0, 0.0])

# Joints [degrees] and where TheRobotStudio's model has its gripper frame then [m].
VECTORS = [
    ((0, 0, 0, 0, 0), (0.3914, 0, 0.2265)),
    ((90, 0, 0, 0, 0), (0.0388, -0.3525, 0.2265)),
    ((0, 90, 0, 0, 0), (0.1791, 0, -0.2055)),
    ((0, -90, 90, 0, 0), (0.2508, 0, 0.1419)),
    ((0, 0, 90, 0, 0), (0.0945, 0, -0.0650)),
    ((0, 0, -90, 0, 0), (0.0999, 0, 0.5233)),
    ((0, 0, 0, 90, 0), (0.2242, 0, 0.0751)),
    ((0, 0, 0, 0, 90), (0.3914, -0.0081, 0.2342)),
]


@pytest.mark.parametrize(("degrees", "position"), VECTORS)
def test_forward_agrees_with_the_published_model(degrees, position):
    np.testing.assert_allclose(ARM.forward(np.radians(degrees))[0], position, atol=6e-5)


@pytest.mark.parametrize(("joint", "moved"), [(1, [0, 0, -1]), (2, [0, 0, -1]), (3, [0, 0, -1]), (0, [0, -1, 0])])
def test_joints_turn_as_lerobot_counts(joint, moved):
    start = np.zeros(5)
    turned = start.copy()
    turned[joint] += 0.01
    difference = ARM.forward(turned)[0] - ARM.forward(start)[0]
    assert difference @ moved > 0.001


@given(st.lists(st.floats(0.1, 0.9), min_size=5, max_size=5))
@settings(max_examples=60, deadline=None)
def test_inverse_finds_reachable_poses(fractions):
    joints = LOW + np.array(fractions) * (HIGH - LOW)
    pose = HandPose(position=ARM.forward(joints)[0], pitch=float(PITCH_JOINTS @ joints), roll=float(joints[4]))
    found = ARM.inverse(pose, joints + np.array([0.3, 0.2, -0.2, 0.2, 0.5]))
    assert found.error_m < 1e-3
    assert np.all((found.joints >= LOW - 1e-9) & (found.joints <= HIGH + 1e-9))
    np.testing.assert_allclose(ARM.forward(found.joints)[0], pose.position, atol=1.1e-3)


def test_inverse_finds_almost_everything_from_one_start():
    rng, found = np.random.default_rng(0), 0
    for _ in range(60):
        joints = rng.uniform(0.8 * LOW, 0.8 * HIGH)
        pose = HandPose(position=ARM.forward(joints)[0], pitch=float(PITCH_JOINTS @ joints), roll=float(joints[4]))
        found += ARM.inverse(pose, np.zeros(5)).error_m < 1e-3
    assert found >= 58


def test_pitch_gives_way_where_both_cannot_be_had():
    high_and_far = HandPose(position=np.array([0.33, 0.0, 0.20]), pitch=np.pi / 2)
    found = ARM.inverse(high_and_far, np.zeros(5))
    assert found.error_m < 1e-3
    assert found.error_rad > 0.1


def test_out_of_reach_is_told_by_the_error():
    assert ARM.inverse(HandPose(position=np.array([1.0, 0.0, 0.2]), pitch=0.0), np.zeros(5)).error_m > 0.4


def test_elbow_up_keeps_the_arm_from_bending_over():
    careful = Kinematics.of("so101", tool="pinch", limits={"elbow_flex": (-1.1, 1.69)})
    reach = HandPose(position=np.array([0.50, 0.0, 0.10]), pitch=0.5)
    assert careful.inverse(reach, np.zeros(5)).joints[2] >= -1.1 - 1e-9


def test_gravity_bends_a_stretched_arm_most_at_the_shoulder():
    torque = ARM.gravity(np.radians([0, 90, -90, 0, 0, 0]))
    # Turning down is positive, so holding up is negative.
    assert torque[1] < torque[2] < torque[3] < -0.1
    assert abs(torque[0]) < 1e-6
