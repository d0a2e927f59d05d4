from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etude.core.errors import ConfigError
from etude.core.spec import Spec
from etude.transforms.relative import RelativeActions

ARM = Spec(shape=(3,), names=("pan.pos", "lift.pos", "Gripper.pos"))
RELATIVE = RelativeActions.between(ARM, ARM, exclude=("gripper",))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_by_hand(kind):
    state = np.array([10.0, 20.0, 30.0], np.float32)
    action = np.array([[11.0, 18.0, 5.0], [12.0, 16.0, 6.0]], np.float32)
    result = RELATIVE({"observation.state": kind(state), "action": kind(action)})
    np.testing.assert_array_equal(np.asarray(result["action"]), [[1, -2, 5], [2, -4, 6]])
    np.testing.assert_array_equal(action[0], [11, 18, 5])


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_each_sample_of_a_batch_has_its_own_state(kind):
    state = np.array([[1.0, 0, 0], [2.0, 0, 0]], np.float32)
    action = np.full((2, 4, 3), 5.0, np.float32)
    result = RELATIVE({"observation.state": kind(state), "action": kind(action)})["action"]
    assert np.asarray(result)[:, :, 0].tolist() == [[4.0] * 4, [3.0] * 4]


@given(
    arrays(np.float64, (2, 3), elements=st.floats(-180, 180)),
    arrays(np.float64, (2, 5, 3), elements=st.floats(-180, 180)),
)
def test_the_inverse_undoes_it(state, action):
    frame = {"observation.state": state, "action": action}
    np.testing.assert_allclose(RELATIVE.inverse()(RELATIVE(frame))["action"], action, atol=1e-9)


def test_an_observation_without_action_passes():
    frame = {"observation.state": np.zeros(3)}
    assert RELATIVE(frame) == frame


def test_joints_pair_up_by_name():
    state = Spec(shape=(4,), names=("speed", "lift.pos", "pan.pos", "Gripper.pos"))
    assert RelativeActions.between(state, ARM, exclude=("gripper",)).states == (2, 1)


def test_without_names_they_pair_up_by_place():
    pair = RelativeActions.between(Spec(shape=(3,)), Spec(shape=(2,)), exclude=())
    assert (pair.joints, pair.states) == ((0, 1), (0, 1))


def test_a_joint_without_state_is_named():
    with pytest.raises(ConfigError, match=r"lift\.pos has none among pan\.pos"):
        RelativeActions.between(Spec(shape=(1,), names=("pan.pos",)), ARM, exclude=("gripper",))


def test_the_inverse_of_the_inverse_is_the_same():
    assert RELATIVE.inverse().inverse() == RELATIVE


def test_where_a_policy_looks_back_the_last_state_counts():
    state = np.array([[[9.0, 9, 9], [1, 2, 3]]], np.float32)
    frame = {"observation.state": state, "action": np.full((1, 4, 3), 5.0, np.float32)}
    relative = RELATIVE(frame)
    alone = RELATIVE(frame | {"observation.state": state[:, -1]})
    np.testing.assert_array_equal(relative["action"], alone["action"])
    np.testing.assert_array_equal(RELATIVE.inverse()(relative)["action"], frame["action"])
