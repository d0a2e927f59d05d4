from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import CameraError, ConfigError, NotFound
from etude.hardware import cameras
from etude.hardware.cameras.source import COLOUR, DEPTH
from etude.hardware.device import connected
from etude.sim.marks import NUM_BITS, mark, read_mark
from etude.sim.scene import TIMESTEP_S
from etude.sim.world import shared_world

TICK_S = 1 / 30
Config = cameras.config("sim")


@pytest.fixture
def world():
    world = shared_world()
    yield world
    world.close()


def camera_of(world, **values):
    """A connected camera of this process's world."""
    camera = cameras.build(Config(**{"width": 48, "height": 36} | values))
    camera.connect()
    assert camera._world is world
    return camera


def pass_tick(world):
    world.clock.sleep_until(world.clock.now() + TICK_S)


class TestMarks:
    @given(st.integers(0, 2**NUM_BITS - 1), st.sampled_from([(12, 16), (96, 96), (36, 48), (480, 640)]))
    def test_a_number_is_read_back(self, number, size):
        picture = np.full((*size, 3), 128, np.uint8)
        mark(picture, number)
        assert read_mark(picture) == number
        assert (picture[size[0] // 2 :] == 128).all(), "the scene is seen below"

    @given(st.integers(0, 2**NUM_BITS - 1), st.integers(30, 95))
    def test_it_survives_jpeg(self, number, quality):
        picture = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
        mark(picture, number)
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert read_mark(cv2.imdecode(data, cv2.IMREAD_COLOR)) == number


def test_marks_tell_which_moment_a_picture_shows(world):
    camera = camera_of(world, mark_frames=True)
    for _ in range(4):
        pass_tick(world)
        assert read_mark(camera.read()) == round(world.clock.now() / TIMESTEP_S)
        assert camera.taken_at == world.clock.now()


def test_pictures_are_as_late_as_the_latency_says(world):
    camera = camera_of(world, mark_frames=True, latency_s=0.05)
    ages = []
    for _ in range(12):
        pass_tick(world)
        picture = camera.read()
        assert read_mark(picture) == round(camera.taken_at / TIMESTEP_S), "its time is that of what it shows"
        ages.append(world.clock.now() - camera.taken_at)
    np.testing.assert_allclose(ages[2:], 2 * TICK_S, atol=1e-9)


def test_latency_does_not_reach_into_the_episode_before(world):
    camera = camera_of(world, mark_frames=True, latency_s=0.1)
    for _ in range(5):
        pass_tick(world)
        camera.read()
    world.reset(1)
    camera.read()
    assert camera.taken_at == world.clock.now()


def test_a_camera_slower_than_the_loop_repeats_its_pictures(world):
    camera = camera_of(world, fps=10.0, width=16, height=12)
    times = []
    for _ in range(9):
        pass_tick(world)
        camera.read()
        times.append(camera.taken_at)
    gaps = [b - a for a, b in pairwise(times)]
    assert sorted({round(gap, 6) for gap in gaps}) == [0.0, 0.1]
    assert camera.health().fps == pytest.approx(10.0)


def test_waiting_for_the_next_picture_lets_time_pass(world):
    camera = camera_of(world, fps=10.0, mark_frames=True)
    numbers = [read_mark(camera.read_next(1.0)) for _ in range(3)]
    assert np.diff(numbers).tolist() == [50, 50]
    with pytest.raises(CameraError, match=r"no new picture for 0\.05 s"):
        camera.read_next(0.05)


def test_an_unplugged_camera_repeats_its_last_picture_and_then_says_so(world):
    camera = camera_of(world, grace_s=0.2)
    pass_tick(world)
    last = camera.read()
    before = camera.taken_at
    world.unplugged.add("front")
    for _ in range(5):
        pass_tick(world)
        np.testing.assert_array_equal(camera.read(), last)
        assert camera.taken_at == before
    health = camera.health()
    assert (health.problem, health.reconnects) == ("it was unplugged.", 0)
    assert health.age_s == pytest.approx(5 * TICK_S)
    for _ in range(2):
        pass_tick(world)
    with pytest.raises(CameraError, match="Camera 'front': it was unplugged"):
        camera.read()
    world.unplugged.discard("front")
    camera.read()
    assert camera.taken_at == world.clock.now()
    assert camera.health().reconnects == 1


def test_any_camera_of_the_scene_is_a_view(world):
    world.start()
    names = {world.model.camera(index).name for index in range(world.model.ncam)}
    assert {"front", "wrist"} <= names
    for name in names:
        assert camera_of(world, view=name).read().any()
    with pytest.raises(NotFound, match="Did you mean 'wrist'"):
        camera_of(world, view="wirst")


def test_distances_are_those_of_the_scene(world):
    """The front camera looks at a point on the table from (0.60, 0.055, 0.46); in its middle the table is that far."""
    camera = camera_of(world, use_depth=True, width=96, height=96)
    world.place("block", 0.3, 0.3, 0.0)
    pictures = camera.read_all()
    for suffix, spec in camera.specs.items():
        spec.check(suffix, pictures[suffix])
    eye = world.data.camera("front").xpos
    ahead = -world.data.camera("front").xmat.reshape(3, 3)[:, 2]
    table_mm = -eye[2] / ahead[2] * 1000
    corner = pictures[DEPTH][90, 48, 0]
    assert 200 < corner < table_mm < pictures[DEPTH].max() < 3000
    assert pictures[COLOUR].any()


def test_distances_fit_where_colours_are(world):
    """A block that is moved away changes colours and distances in the same place."""
    camera = camera_of(world, use_depth=True, width=96, height=96)
    world.place("block", 0.28, 0.0, 0.0)
    near = camera.read_all()
    world.place("block", 0.28, 0.3, 0.0)
    pass_tick(world)
    far = camera.read_all()
    moved = np.abs(near[COLOUR].astype(int) - far[COLOUR]).sum(axis=2) > 60
    deeper = far[DEPTH][..., 0].astype(int) - near[DEPTH][..., 0] > 5
    assert moved.sum() > 10
    assert (moved & deeper).sum() > 0.4 * deeper.sum() > 5


@pytest.mark.parametrize("values", [{"width": 0}, {"latency_s": -0.1}, {"fps": 0.0}, {"grace_s": 0.0}])
def test_values_that_make_no_sense(values):
    with pytest.raises(ConfigError):
        Config(**values)


def test_a_recording_has_colours_and_distances(world):
    with connected(camera := cameras.build(Config.tiny())):
        assert set(camera.specs) == {COLOUR}
    with connected(camera := cameras.build(Config(use_depth=True))):
        assert set(camera.specs) == {COLOUR, DEPTH}
