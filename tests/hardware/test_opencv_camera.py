import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras

Config = cameras.config("opencv")
RED = np.array([250, 10, 20], np.uint8)


@pytest.fixture
def video(tmp_path):
    """Three pictures, red in RGB, brighter from one to the next."""
    for number in range(3):
        picture = np.zeros((12, 16, 3), np.uint8)
        picture[...] = RED[::-1] - 50 * np.array([0, 0, number], np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
    return str(tmp_path / "%d.png")


class FakeCapture:
    """What OpenCV shows of a live camera: it gives a picture per read until it is unplugged."""

    reads = 0
    last = 1_000_000

    def __init__(self, source):
        self.settings = {}

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def set(self, what, value):
        self.settings[what] = value

    def read(self):
        type(self).reads += 1
        if type(self).reads > self.last:
            return False, None
        return True, np.full((12, 16, 3), (1, 2, 3), np.uint8)

    def release(self):
        pass


@pytest.fixture
def live(monkeypatch):
    class Capture(FakeCapture):
        pass

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    return Capture


def test_colours_are_rgb(video):
    camera = cameras.build(Config(index_or_path=video, width=16, height=12))
    camera.connect()
    picture = camera.read()
    camera.disconnect()
    assert picture[0, 0].argmax() == 0
    assert (picture.dtype, picture.shape) == (np.uint8, (12, 16, 3))


def test_a_file_gives_each_picture_in_turn_and_then_says_that_it_ended(tmp_path):
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
    for level in (10, 120, 240):
        film.write(np.full((24, 32, 3), level, np.uint8))
    film.release()
    camera = cameras.build(Config(index_or_path=str(path), width=32, height=24))
    camera.connect()
    np.testing.assert_allclose([camera.read().mean() for _ in range(3)], [10, 120, 240], atol=4)
    with pytest.raises(CameraError, match="it gives no more pictures"):
        camera.read()
    camera.disconnect()


def test_another_size_than_asked_for_is_refused(video):
    with pytest.raises(CameraError, match="it gives pictures of 16 x 12, not 640 x 480"):
        cameras.build(Config(index_or_path=video)).connect()


def test_what_cannot_be_opened_is_named(tmp_path):
    missing = str(tmp_path / "nothing.avi")
    with pytest.raises(CameraError, match=r"Camera '.*nothing.avi': it cannot be opened"):
        cameras.build(Config(index_or_path=missing)).connect()


def test_a_live_camera_is_asked_for_size_and_rate(live):
    camera = cameras.build(Config(index_or_path=3, width=16, height=12, fps=25))
    camera.connect()
    settings = camera._capture.settings
    camera.disconnect()
    expected = {cv2.CAP_PROP_FRAME_WIDTH: 16, cv2.CAP_PROP_FRAME_HEIGHT: 12, cv2.CAP_PROP_FPS: 25}
    assert settings == expected


def test_an_unplugged_camera_is_told_and_not_repeated(live):
    live.last = 3
    camera = cameras.build(Config(index_or_path=3, width=16, height=12))
    camera.connect()
    camera._reader._thread.join(5)
    with pytest.raises(CameraError, match="It was unplugged"):
        camera.read()
    camera.disconnect()


def test_sizes_are_positive():
    with pytest.raises(ConfigError, match="got 0 x 480 at 30"):
        Config(width=0)
