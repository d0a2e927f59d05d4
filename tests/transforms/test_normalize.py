from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from etude.core.errors import ConfigError
from etude.core.stats import Stats
from etude.transforms.normalize import Mode, Normalize

STATS = Stats(
    mean=np.array([1.0, -2.0]),
    std=np.array([2.0, 0.5]),
    min=np.array([-3.0, -4.0]),
    max=np.array([5.0, 0.0]),
    count=10,
    quantiles={"q01": np.array([-2.0, -3.5]), "q10": np.array([-1.0, -3.0]), "q90": np.array([3.0, -1.0]),
               "q99": np.array([4.0, -0.5])},
)  # fmt: skip
VALUE = np.array([3.0, -2.5], np.float32)


def normalize(mode, stats=STATS, eps=1e-8):
    return Normalize(modes={"x": mode}, stats={"x": stats}, eps=eps)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (Mode.MEAN_STD, [1.0, -1.0]),  # (3 - 1) / 2, (-2.5 + 2) / 0.5
        (Mode.MIN_MAX, [0.5, -0.25]),  # 2 * 6 / 8 - 1, 2 * 1.5 / 4 - 1
        (Mode.QUANTILES, [2 * 5 / 6 - 1, 2 * 1 / 3 - 1]),
        (Mode.QUANTILE10, [1.0, -0.5]),  # 2 * 4 / 4 - 1, 2 * 0.5 / 2 - 1
        (Mode.IDENTITY, [3.0, -2.5]),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_by_hand(mode, wanted, kind):
    value = kind(VALUE)
    result = normalize(mode)({"x": value})["x"]
    assert type(result) is type(value)
    assert result.dtype == value.dtype
    np.testing.assert_allclose(np.asarray(result), wanted, rtol=1e-6)


@given(
    arrays(np.float32, (3, 2), elements=st.floats(-50, 50, width=32)),
    st.sampled_from(list(Mode)),
)
def test_the_inverse_undoes_it(value, mode):
    there = normalize(mode)
    back = there.inverse()(there({"x": value}))["x"]
    np.testing.assert_allclose(back, value, atol=1e-4)


def test_the_inverse_of_the_inverse_is_the_same():
    there = normalize(Mode.MIN_MAX)
    again = there.inverse().inverse()
    np.testing.assert_array_equal(again({"x": VALUE})["x"], there({"x": VALUE})["x"])


@pytest.mark.parametrize(("mode", "wanted"), [(Mode.MEAN_STD, 0.0), (Mode.MIN_MAX, -1.0)])
def test_what_never_moved_stays_finite(mode, wanted):
    still = Stats.of(np.full((5, 2), 7.0))
    value = np.full(2, 7.0, np.float32)
    result = normalize(mode, still)({"x": value})["x"]
    np.testing.assert_allclose(result, wanted)
    np.testing.assert_allclose(normalize(mode, still).inverse()({"x": result})["x"], value)


def test_eps_is_added_on_the_way_in_only():
    transform = normalize(Mode.MEAN_STD, eps=1.0)
    np.testing.assert_allclose(transform({"x": VALUE})["x"], [2 / 3, -0.5 / 1.5], rtol=1e-6)
    np.testing.assert_allclose(transform.inverse()({"x": VALUE})["x"], [3 * 2 + 1, -2.5 * 0.5 - 2])


def test_values_outside_the_range_are_not_clipped():
    far = np.array([13.0, 4.0], np.float32)
    np.testing.assert_allclose(normalize(Mode.MIN_MAX)({"x": far})["x"], [3.0, 3.0])


def test_other_keys_and_the_frame_itself_are_left_alone():
    frame = {"x": VALUE, "y": VALUE}
    result = normalize(Mode.MEAN_STD)(frame)
    assert result["y"] is VALUE
    assert frame["x"] is VALUE
    assert normalize(Mode.MEAN_STD)({"y": VALUE}) == {"y": VALUE}


def test_missing_statistics_are_named():
    with pytest.raises(ConfigError, match="'x' is to be normalised by MEAN_STD"):
        Normalize(modes={"x": Mode.MEAN_STD}, stats={})
    bare = Stats(mean=STATS.mean, std=STATS.std, min=STATS.min, max=STATS.max, count=1)
    with pytest.raises(ConfigError, match="q01, q99"):
        normalize(Mode.QUANTILES, bare)
