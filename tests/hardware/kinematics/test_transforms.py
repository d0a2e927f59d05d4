import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec
from etude.hardware.bodies.so101 import SO101
from etude.hardware.kinematics import DriverUnits, Kinematics
from etude.hardware.kinematics.transforms import HandFromJoints, JointsFromHand, in_hand_space
from etude.transforms.pipeline import Pipeline
from etude.transforms.relative import RelativeActions
from etude.transforms.transform import Transform

NAMES = tuple(f"{joint}.pos" for joint in SO101.joints)
READY = np.array([0.0, -30.0, 45.0, 60.0, 10.0, 50.0], np.float32)
TO_HAND, TO_JOINTS = HandFromJoints(), HandFromJoints().inverse()
UNITS = DriverUnits(SO101)


def test_joints_become_the_hands_pose_and_the_gripper_stays():
    hand = TO_HAND({STATE: np.zeros(6, np.float32), "task": "x"})
    # Where TheRobotStudio's model has its gripper frame at zero; it points forward.
    np.testing.assert_allclose(hand[STATE], [0.3914, 0, 0.2265, 0, 0, 0], atol=6e-5)
    assert hand[STATE].dtype == np.float32
    assert hand["task"] == "x"
    assert ACTION not in hand


def test_it_says_what_it_gives():
    spec = TO_HAND.spec(Spec(shape=(6,), names=NAMES))
    assert spec.names == ("hand.x", "hand.y", "hand.z", "hand.pitch", "hand.roll", "gripper.pos")
    spec.check(STATE, TO_HAND({STATE: READY})[STATE])


def test_they_are_transforms_that_undo_each_other():
    assert isinstance(TO_HAND, Transform)
    assert isinstance(TO_JOINTS, Transform)
    assert TO_JOINTS.inverse() == TO_HAND
    assert TO_JOINTS({STATE: READY}) == {STATE: READY}


shares = st.lists(st.floats(0.15, 0.85), min_size=6, max_size=6).map(np.array)


@given(shares, st.lists(st.tuples(*[st.floats(-2, 2)] * 6), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_chunk_goes_to_the_hand_and_back(share, steps):
    low, high = np.array([link.range_rad for link in SO101.links]).T
    state = UNITS.from_rad(low + share * (high - low))
    chunk = state + np.cumsum(steps, axis=0)
    frame = {STATE: state, ACTION: chunk}
    hand = TO_HAND(frame)
    again = TO_JOINTS({STATE: state, ACTION: hand[ACTION]})
    assert again[ACTION].shape == chunk.shape
    np.testing.assert_allclose(TO_HAND(again)[ACTION][:, :3], hand[ACTION][:, :3], atol=1e-3)
    np.testing.assert_allclose(again[ACTION][:, 4:], chunk[:, 4:], atol=1e-3)


def test_a_smooth_chunk_comes_back_as_it_was():
    chunk = (READY + np.linspace(0, 1, 20)[:, None] * np.array([20, 15, -20, 10, 30, -40])).astype(np.float32)
    hand = TO_HAND({STATE: READY, ACTION: chunk})[ACTION]
    np.testing.assert_allclose(TO_JOINTS({STATE: READY, ACTION: hand})[ACTION], chunk, atol=0.01)


def test_batches_keep_their_shape():
    state, action = np.tile(READY, (3, 1)), np.tile(READY, (3, 4, 1))
    hand = TO_HAND({STATE: state, ACTION: action})
    assert hand[ACTION].shape == (3, 4, 6)
    np.testing.assert_allclose(TO_JOINTS({STATE: state, ACTION: hand[ACTION]})[ACTION], action, atol=0.01)
    np.testing.assert_allclose(TO_JOINTS({STATE: READY, ACTION: hand[ACTION][0, 0]})[ACTION], READY, atol=0.01)


def test_tensors_stay_tensors():
    torch = pytest.importorskip("torch")
    hand = TO_HAND({STATE: torch.tensor(READY)})[STATE]
    assert isinstance(hand, torch.Tensor)
    assert hand.dtype == torch.float32


def test_what_cannot_be_reached_becomes_the_nearest_without_a_leap():
    far = TO_HAND({STATE: READY})[STATE] + np.array([0.5, 0, 0, 0, 0, 0], np.float32)
    joints = TO_JOINTS({STATE: READY, ACTION: far})[ACTION]
    low, high = np.degrees([link.range_rad for link in SO101.links[:5]]).T
    assert np.all((joints[:5] > low - 1e-3) & (joints[:5] < high + 1e-3))
    reach = Kinematics.of("so101").forward(UNITS.to_rad(joints.astype(np.float64)))[0]
    assert 0.4 < np.linalg.norm(reach - [0.0388, 0, 0.1166]) < 0.48


def test_a_policy_in_hand_space_acts_on_joints(tmp_path):
    Pipeline(inputs=(TO_HAND,), outputs=(TO_JOINTS,)).save(tmp_path)
    pipeline = Pipeline.load(tmp_path)
    assert pipeline.outputs == (JointsFromHand(),)
    frame = {STATE: READY}
    seen = pipeline.encode(frame)[STATE]
    np.testing.assert_allclose(pipeline.decode(frame, seen[None])[0], READY, atol=0.01)


def test_relative_actions_of_a_hand_come_back_as_joints():
    joints = Spec(shape=(6,), names=NAMES)
    hand = TO_HAND.spec(joints)
    relative = RelativeActions.between(hand, hand, exclude=("gripper",))
    pipeline = in_hand_space(Pipeline((relative,), (relative.inverse(),)), TO_HAND)
    chunk = (READY + np.linspace(0, 1, 4)[:, None] * np.array([20, 15, -20, 10, 30, -40])).astype(np.float32)
    for state in (READY[None], np.stack([READY - 9, READY])[None]):  # of one instant, and looked back on
        frame = {STATE: state}
        seen = pipeline.encode(frame | {ACTION: chunk[None]})
        np.testing.assert_allclose(seen[ACTION][0, 0, :5], 0, atol=1e-5)
        np.testing.assert_allclose(pipeline.decode(frame, seen[ACTION])[0], chunk, atol=0.01)
        np.testing.assert_allclose(pipeline.encode_actions(frame, chunk[None]), seen[ACTION], atol=1e-5)
