import av
import cv2
import numpy as np
import pytest

from etude.data.video import VideoReader, VideoWriter, resize

HEIGHT, WIDTH = 120, 160


def scene():
    """A picture with edges between strong colours, and grain."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, WIDTH // 3 :] = (220, 40, 30)
    cv2.circle(picture, (90, 70), 31, (20, 60, 230), -1)
    return np.clip(picture + np.random.default_rng(0).normal(10, 6, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    path = tmp_path_factory.mktemp("scale") / "scene.mp4"
    video = VideoWriter(path, 30, preset=13)
    video.add(scene())
    video.close()
    return VideoReader(path)


def test_the_whole_picture_is_what_the_decoder_converts_to(reader):
    with av.open(str(reader.path)) as container:
        wanted = next(container.decode(video=0)).to_ndarray(format="rgb24")
    np.testing.assert_array_equal(reader.frames(np.array([0]))[0], wanted)


@pytest.mark.parametrize("size", [(60, 80), (64, 64), (31, 47), (2, 3)])
def test_shrinking_averages_areas_of_the_whole_picture(reader, size):
    whole, small = reader.frames(np.array([0])), reader.frames(np.array([0]), size)
    assert (small.shape, small.dtype) == ((1, *size, 3), np.uint8)
    difference = small.astype(int) - resize(whole, *size)
    assert np.abs(difference).mean() < 2
    assert np.quantile(np.abs(difference), 0.99) <= 4


@pytest.mark.parametrize("size", [(150, 100), (120, 100), (100, 160), (7, 160)])
def test_sizes_close_to_the_whole_average_its_rgb(reader, size):
    whole = reader.frames(np.array([0]))
    np.testing.assert_array_equal(reader.frames(np.array([0]), size), resize(whole, *size))
