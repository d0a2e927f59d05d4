from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from etude.envs.pusht.tee import AGENT_RADIUS, distance
from etude.envs.pusht.way import along, is_clear, way

TEE = np.array([256.0, 200.0, 0.0])


def test_it_is_straight_where_nothing_is_in_the_way():
    start, end = np.array([30.0, 30.0]), np.array([400.0, 60.0])
    np.testing.assert_allclose(along(way(TEE, start, end), 1000), [end], atol=1e-9)


def test_points_on_a_way_are_no_farther_apart_than_asked_and_end_at_its_end():
    points = along([np.array([0.0, 0.0]), np.array([30.0, 0.0]), np.array([30.0, 40.0])], 20.0)
    np.testing.assert_allclose(points, [[17.5, 0], [30, 5], [30, 22.5], [30, 40]])


@given(st.tuples(*[st.floats(30, 480)] * 4))
def test_it_keeps_clear_of_the_t(places):
    start, end = np.array(places[:2]), np.array(places[2:])
    assume(distance(TEE, np.stack([start, end])).min() > AGENT_RADIUS + 8)
    corners = way(TEE, start, end)
    assert all(is_clear(TEE, a, b, AGENT_RADIUS) for a, b in pairwise(corners))
