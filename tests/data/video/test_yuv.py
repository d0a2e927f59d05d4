import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.data.video.yuv import is_halvable, yuv420


@pytest.mark.parametrize(
    ("colour", "wanted"),
    # BT.601: Y = 16 + 219 (0.299 R + 0.587 G + 0.114 B), U = 128 + 112 (B - Y') / 0.886, V = 128 + 112 (R - Y') / 0.701
    [((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (81, 90, 240))],
)
def test_plain_colours(colour, wanted):
    planes = yuv420(np.full((4, 8, 3), colour, np.uint8))
    assert planes.shape == (6, 8)
    found = planes[:4], planes[4], planes[5]
    for plane, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(plane.astype(int), value, atol=1)


@given(
    height=st.integers(1, 16).map(lambda n: 4 * n), width=st.integers(1, 40).map(lambda n: 2 * n), seed=st.integers()
)
def test_it_is_what_ffmpeg_makes_of_it(height, width, seed):
    picture = np.random.default_rng(abs(seed)).integers(0, 256, (height, width, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    wanted = frame.reformat(format="yuv420p", interpolation="AREA").to_ndarray()
    np.testing.assert_allclose(yuv420(picture).astype(int), wanted, atol=3)


@pytest.mark.parametrize(("size", "wanted"), [((480, 640), True), ((6, 8), False), ((8, 7), False)])
def test_which_sizes_can_be_laid_out(size, wanted):
    assert is_halvable(*size) is wanted
