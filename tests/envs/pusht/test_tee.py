import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.envs.pusht.tee import GOAL, contacts, distance, misplacement, outward, placed, pose_of

UPRIGHT = np.array([100.0, 50.0, 0.0])
KEYPOINTS = np.array([[-60, 0], [60, 0], [60, 30], [-60, 30], [-15, 30], [15, 30], [15, 120], [-15, 120]], float)


@given(st.floats(0, 512), st.floats(0, 512), st.floats(-3.1, 3.1))
def test_the_pose_is_read_off_the_keypoints(x, y, angle):
    pose = np.array([x, y, angle])
    np.testing.assert_allclose(pose_of(placed(pose, KEYPOINTS).ravel()), pose, atol=1e-9)


def test_distances_are_those_to_bar_and_stem():
    points = np.array([[100, 40], [100, 60], [180, 65], [130, 100], [164, 46]], float)
    np.testing.assert_allclose(distance(UPRIGHT, points), [10, 0, 20, 15, math.hypot(4, 4)])


def test_away_from_the_t_is_away_from_its_nearest_side():
    np.testing.assert_allclose(outward(UPRIGHT, np.array([130.0, 120.0])), [1, 0])
    np.testing.assert_allclose(outward(UPRIGHT, np.array([100.0, 40.0])), [0, -1])


def test_pushing_from_any_contact_goes_into_the_t():
    points, normals = contacts()
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    np.testing.assert_allclose(distance(UPRIGHT, placed(UPRIGHT, points + 3 * normals)), 3)
    assert not distance(UPRIGHT, placed(UPRIGHT, points - 3 * normals)).any()


def test_misplacement_is_that_of_the_corners():
    goal = np.array(GOAL)
    assert misplacement(goal) == 0
    assert misplacement(goal + np.array([3, 4, 0])) == pytest.approx(5)
