import os
import threading
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras
from etude.hardware.cameras import identity
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.opencv.camera import OpenCVSource
from etude.hardware.device import connected

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

    reads = opened = 0
    gaps = ()
    shape = (12, 16)

    def __init__(self, source):
        type(self).opened += 1
        self.source = source
        self.settings = {}

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def set(self, what, value):
        self.settings[what] = value

    def read(self):
        type(self).reads += 1
        if type(self).reads in self.gaps:
            return False, None
        return True, np.full((*self.shape, 3), (1, 2, 3), np.uint8)

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
    with pytest.raises(CameraError, match=r"nothing.avi.: it cannot be opened.*etude find-cameras"):
        cameras.build(Config(index_or_path=missing)).connect()


def live_config(**values):
    return Config(index_or_path=3, width=16, height=12, warmup_s=0.0, **values)


def test_a_path_that_means_a_camera_for_good_is_followed(live, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "place_of", {"/dev/v4l/by-id/usb-C920": "/dev/video7"}.get)
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/video7")
    config = Config(index_or_path="/dev/v4l/by-id/usb-C920", width=16, height=12, warmup_s=0.0)
    with connected(camera := cameras.build(config)):
        assert camera._source._capture.source == 7


def test_a_camera_that_is_not_plugged_in(tmp_path):
    with pytest.raises(CameraError, match=r"Camera '/dev/v4l/by-id/usb-none': it is not plugged in"):
        cameras.build(Config(index_or_path="/dev/v4l/by-id/usb-none")).connect()


def test_a_live_camera_is_asked_for_size_rate_and_format(live):
    with connected(camera := cameras.build(live_config(fps=25, fourcc="MJPG"))):
        settings = camera._source._capture.settings
    assert settings == {
        cv2.CAP_PROP_FRAME_WIDTH: 16,
        cv2.CAP_PROP_FRAME_HEIGHT: 12,
        cv2.CAP_PROP_FPS: 25,
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
    }


def test_a_camera_on_its_side_is_asked_for_its_own_width(live):
    live.shape = (16, 12)
    with connected(camera := cameras.build(live_config(rotation=90))):
        assert camera._source._capture.settings[cv2.CAP_PROP_FRAME_WIDTH] == 12
        assert camera.read().shape == (12, 16, 3)


@pytest.mark.parametrize(
    ("rotation", "corner"), [(0, (0, 0)), (90, (0, 11)), (180, (15, 11)), (270, (15, 0)), (-90, (15, 0))]
)
def test_pictures_are_turned_clockwise(tmp_path, rotation, corner):
    picture = np.zeros((16, 12, 3), np.uint8) if rotation % 180 == 0 else np.zeros((12, 16, 3), np.uint8)
    picture[0, 0] = 255
    cv2.imwrite(str(tmp_path / "0.png"), picture)
    config = Config(index_or_path=str(tmp_path / "%d.png"), width=12, height=16, rotation=rotation)
    with connected(camera := cameras.build(config)):
        assert np.argwhere(camera.read()[..., 0]).tolist() == [list(corner)]


def test_blue_first_when_asked_for(video):
    with connected(camera := cameras.build(Config(index_or_path=video, width=16, height=12, color_mode="bgr"))):
        assert camera.read()[0, 0].argmax() == 2


def test_a_camera_that_was_unplugged_comes_back(live):
    live.gaps = {3}
    camera = LiveCamera(OpenCVSource(live_config()), retry_s=0.001)
    with connected(camera):
        first = camera.read()
        while camera.health().reconnects == 0:
            camera.read_next(5.0)
        assert camera.read().shape == first.shape
        assert live.opened == 2


def test_a_pipe_is_read_like_a_live_camera(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pictures = [cv2.imencode(".jpg", np.full((12, 16, 3), level, np.uint8))[1].tobytes() for level in (40, 200)]
    is_over = threading.Event()

    def play():
        with suppress(BrokenPipeError), pipe.open("wb", buffering=0) as end:
            while not is_over.wait(0.002):
                end.write(pictures[0] * 20 + pictures[1] * 20)

    player = threading.Thread(target=play, daemon=True)
    player.start()
    with connected(camera := cameras.build(Config(index_or_path=str(pipe), width=16, height=12, warmup_s=0.0))):
        seen = {round(camera.read_next(5.0).mean(), -1) for _ in range(60)}
        is_over.set()
    player.join(5)
    assert seen == {40.0, 200.0}


def test_sizes_are_positive():
    with pytest.raises(ConfigError, match="got 0 x 480 at 30"):
        Config(width=0)
