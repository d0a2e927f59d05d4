import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.core.frame import IMAGES
from etude.hardware import cameras
from etude.hardware.cameras.camera_set import CameraSet
from etude.hardware.cameras.source import COLOUR, DEPTH
from etude.hardware.device import connected

rs = pytest.importorskip("pyrealsense2")
from etude.hardware.cameras.intelrealsense.camera import build  # noqa: E402
from etude.hardware.cameras.intelrealsense.pipeline import plugged_in, serial_number, set_options  # noqa: E402
from etude.hardware.cameras.intelrealsense.software import SoftwareFrames  # noqa: E402

WIDTH, HEIGHT = 64, 48
Config = cameras.config("intelrealsense")
CONFIG = Config(serial_number_or_name="0123", width=WIDTH, height=HEIGHT, use_depth=True, warmup_s=0.0, timeout_s=5.0)


def flat(number):
    """A wall that comes nearer: its colour says how often it came."""
    colour = np.full((HEIGHT, WIDTH, 3), (number % 100, 20, 30), np.uint8)
    return colour, np.full((HEIGHT, WIDTH), 2000 - number % 100, np.uint16)


def test_colour_and_depth_of_one_instant():
    with connected(camera := build(CONFIG, SoftwareFrames(flat))):
        for _ in range(5):
            pictures = camera.read_all_next(5.0)
            for suffix, spec in camera.specs.items():
                spec.check(suffix, pictures[suffix])
            number = int(pictures[COLOUR][5, 5, 0])
            assert pictures[COLOUR][5, 5].tolist() == [number, 20, 30]
            assert np.median(pictures[DEPTH]) == 2000 - number
        assert camera.spec == camera.specs[COLOUR]
        assert camera.specs[DEPTH].is_depth


@pytest.mark.parametrize(("unit_m", "steps", "expected"), [(0.0001, 12345, 1234), (0.001, 777, 777), (0.01, 60000, 0)])
def test_depth_is_in_millimetres_whatever_the_cameras_steps(unit_m, steps, expected):
    def pushed(_):
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH), steps, np.uint16)

    with connected(camera := build(CONFIG, SoftwareFrames(pushed, unit_m=unit_m))):
        depth = camera.read_all()[DEPTH]
    assert set(np.unique(depth)) <= {0, expected}
    assert (depth == expected).mean() > 0.9, "the SDK's moving of pixels leaves a few holes"


def test_depth_is_moved_to_where_the_colours_see_it():
    """At 1 m and with a focal length of 64 pixels, a camera 0.125 m to the left sees things 8 pixels further right."""

    def pushed(_):
        depth = np.full((HEIGHT, WIDTH), 1000, np.uint16)
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8), depth

    with connected(camera := build(CONFIG, SoftwareFrames(pushed, baseline_m=0.125))):
        depth = camera.read_all()[DEPTH][..., 0]
    assert (depth[:, :8] == 0).all(), "the depth camera does not look there"
    assert (depth[:, 9:] == 1000).mean() > 0.9


def test_pictures_are_turned_together():
    def pushed(_):
        colour, depth = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH), 500, np.uint16)
        colour[:10, :10], depth[:10, :10] = 255, 300
        return colour, depth

    config = replace(CONFIG, width=HEIGHT, height=WIDTH, rotation=90)
    with connected(camera := build(config, SoftwareFrames(pushed))):
        pictures = camera.read_all()
    assert pictures[COLOUR].shape == (WIDTH, HEIGHT, 3)
    assert pictures[COLOUR][2, -3, 0] == 255
    assert (pictures[DEPTH][2, -3, 0], pictures[DEPTH][2, 2, 0]) == (300, 500)


@pytest.mark.parametrize(("use_rgb", "suffix"), [(True, COLOUR), (False, DEPTH)])
def test_one_kind_alone(use_rgb, suffix):
    config = replace(CONFIG, use_rgb=use_rgb, use_depth=not use_rgb)
    with connected(camera := build(config, SoftwareFrames(flat))):
        assert camera.read_all().keys() == {suffix}
        camera.spec.check("picture", camera.read())


def test_blue_first_when_asked_for():
    with connected(camera := build(replace(CONFIG, color_mode="bgr"), SoftwareFrames(flat))):
        assert camera.read()[5, 5].tolist()[:2] == [30, 20]


def test_another_size_is_refused():
    small = SoftwareFrames(lambda _: (np.zeros((12, 16, 3), np.uint8), np.zeros((12, 16), np.uint16)))
    with pytest.raises(CameraError, match="it gives pictures of 16 x 12, not 64 x 48"):
        build(CONFIG, small).connect()


def test_it_comes_back_after_it_was_unplugged():
    frames = SoftwareFrames(flat)
    camera = build(replace(CONFIG, grace_s=60.0), frames)
    camera._retry_s = 0.001
    with connected(camera):
        frames.is_plugged = False
        while not camera.health().problem:
            threading.Event().wait(0.001)
        camera.read()
        frames.is_plugged = True
        while camera.health().reconnects == 0:
            threading.Event().wait(0.001)
        camera.read_all_next(5.0)
    assert frames.num_starts == 2


def test_a_robot_has_both_pictures(monkeypatch):
    watched = CameraSet({"top": CONFIG})
    watched.cameras["top"] = build(CONFIG, SoftwareFrames(flat))
    watched.connect()
    frame = watched.read()
    watched.disconnect()
    assert frame.keys() == watched.specs.keys() == {IMAGES + "top", IMAGES + "top_depth"}
    assert frame[IMAGES + "top_depth"].dtype == np.uint16
    assert watched.times[IMAGES + "top"] == watched.times[IMAGES + "top_depth"]


def test_it_is_known_by_serial_number_or_by_a_name_that_only_it_has():
    devices = {"1": "D405", "2": "D435", "3": "D435"}
    assert serial_number("3", devices) == "3"
    assert serial_number("D405", devices) == "1"
    with pytest.raises(CameraError, match=r"there are 2 of them. Give a serial number: 2, 3"):
        serial_number("D435", devices)
    with pytest.raises(CameraError, match=r"Plugged in: 1 \(D405\), 2 \(D435\), 3 \(D435\)"):
        serial_number("9", devices)


def test_what_is_plugged_in_can_be_asked():
    assert isinstance(plugged_in(), dict)


class TestOptions:
    def test_what_is_fixed_is_not_automatic(self):
        set_to, ranges = {}, SimpleNamespace(min=1.0, max=100.0)
        sensor = SimpleNamespace(
            get_info=lambda _: "RGB Camera",
            supports=lambda option: option != rs.option.white_balance,
            get_option_range=lambda _: ranges,
            set_option=set_to.__setitem__,
        )
        set_options(replace(CONFIG, exposure=50), [sensor])
        assert set_to == {rs.option.enable_auto_exposure: 0, rs.option.exposure: 50}
        with pytest.raises(CameraError, match="its gain goes from 1 to 100, got 101"):
            set_options(replace(CONFIG, gain=101), [sensor])
        with pytest.raises(CameraError, match="its white_balance cannot be set"):
            set_options(replace(CONFIG, white_balance=4000), [sensor])

    def test_a_camera_without_colours_is_told(self):
        sensor = SimpleNamespace(get_info=lambda _: "Motion Module")
        with pytest.raises(CameraError, match="it has no colour sensor, but Motion Module"):
            set_options(replace(CONFIG, gain=1), [sensor])


@pytest.mark.parametrize(
    "values", [{"serial_number_or_name": ""}, {"use_rgb": False}, {"fps": 0}, {"grace_s": 0.0}, {"warmup_s": -1.0}]
)
def test_values_that_make_no_sense(values):
    with pytest.raises(ConfigError):
        Config(**{"serial_number_or_name": "1"} | values)
