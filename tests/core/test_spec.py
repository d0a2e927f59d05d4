import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core import frame
from etude.core.errors import SpecMismatch
from etude.core.spec import Spec

shapes = st.lists(st.integers(1, 5), max_size=3).map(tuple)
dtypes = st.sampled_from(["float32", "uint8", "int64", "bool"])


@given(shapes, dtypes)
def test_an_example_passes_its_own_check(shape, dtype):
    spec = Spec(shape=shape, dtype=dtype)
    spec.check("x", spec.example())


@given(shapes, st.sampled_from(["float32", "uint8"]), st.integers(0, 9))
def test_a_random_example_passes_too_and_follows_its_seed(shape, dtype, seed):
    spec = Spec(shape=shape, dtype=dtype)
    first, second = (spec.example(np.random.default_rng(seed)) for _ in range(2))
    spec.check("x", first)
    np.testing.assert_array_equal(first, second)


def test_a_mismatch_says_what_was_expected_and_what_came():
    with pytest.raises(SpecMismatch, match=r"'state' should be float32\[3\], got float64\[2\]\."):
        Spec(shape=(3,)).check("state", np.zeros(2))


def test_a_missing_key_is_named_with_those_that_are_there():
    with pytest.raises(SpecMismatch, match=r"'action' should be float32\[2\], got nothing; the frame has state"):
        frame.check({"action": Spec(shape=(2,))}, {"state": np.zeros(2, np.float32)})


def test_extra_keys_are_allowed():
    frame.check({"a": Spec(shape=())}, {"a": np.float32(1), "b": np.zeros(9)})


def test_pictures_and_depth_are_told_apart_and_examples_use_the_whole_range():
    picture, depth = Spec(shape=(60, 80, 3), dtype="uint8"), Spec(shape=(60, 80, 1), dtype="uint16", unit="mm")
    assert (picture.is_image, picture.is_depth) == (True, False)
    assert (depth.is_image, depth.is_depth) == (False, True)
    assert not Spec(shape=(60, 80), dtype="uint16").is_depth
    for spec, most in ((picture, 255), (depth, 65_535)):
        example = spec.example(np.random.default_rng(0))
        spec.check("camera", example)
        assert example.max() > 0.95 * most


def test_images_are_found_in_order():
    keys = {"observation.images.wrist": 0, "action": 0, "observation.image": 0, "observation.state": 0}
    assert frame.images(keys) == ["observation.images.wrist", "observation.image"]
