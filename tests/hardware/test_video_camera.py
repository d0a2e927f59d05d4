import threading

import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras
from etude.hardware.device import connected

Config = cameras.config("video")
LEVELS = (10, 120, 240)


@pytest.fixture
def film(tmp_path):
    """Three pictures in Motion JPEG, as USB cameras send it; at 50 Hz."""
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 50, (32, 24))
    for level in LEVELS:
        film.write(np.full((24, 32, 3), level, np.uint8))
    film.release()
    return str(path)


def level(picture):
    return min(LEVELS, key=lambda each: abs(each - picture.mean()))


def test_every_picture_in_turn_over_and_over(film):
    with connected(camera := cameras.build(Config(path=film, is_live=False))):
        assert camera.spec.shape == (24, 32, 3)
        assert [level(camera.read()) for _ in range(7)] == [10, 120, 240, 10, 120, 240, 10]


def test_a_film_that_is_not_repeated_ends(film):
    with connected(camera := cameras.build(Config(path=film, is_live=False, loop=False))):
        assert [level(camera.read()) for _ in range(3)] == [10, 120, 240]
        with pytest.raises(CameraError, match="the film has ended"):
            camera.read()
        assert "ended" in camera.health().problem


def test_a_live_film_plays_at_its_own_rate(film):
    with connected(camera := cameras.build(Config(path=film))):
        times, levels = [], []
        for _ in range(7):
            levels.append(level(camera.read_next(5.0)))
            times.append(camera.taken_at)
    assert times[-1] - times[0] > 0.1, "6 pictures at 50 Hz; later ones come when they are due"
    assert set(levels) == set(LEVELS)


def test_another_rate(film):
    with connected(camera := cameras.build(Config(path=film, fps=500.0))):
        while camera.health().fps < 60:
            threading.Event().wait(0.01)


def test_a_live_film_that_ends_says_so(film):
    with (
        connected(camera := cameras.build(Config(path=film, fps=500.0, loop=False))),
        pytest.raises(CameraError, match="the film has ended"),
    ):
        for _ in range(1000):
            camera.read()
            threading.Event().wait(0.002)


def test_the_size_is_checked(film):
    with pytest.raises(CameraError, match="it gives pictures of 32 x 24, not 16 x 12"):
        cameras.build(Config(path=film, width=16, height=12)).connect()


@pytest.mark.parametrize("values", [{"width": 3}, {"fps": -1.0}, {"grace_s": 0.0}])
def test_values_that_make_no_sense(values):
    with pytest.raises(ConfigError):
        Config(**{"path": "film.avi"} | values)
