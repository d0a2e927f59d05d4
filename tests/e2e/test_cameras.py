"""Cameras in a recording: their cables come loose, they measure distances, they live in another process."""

from functools import partial

import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError
from etude.core.frame import IMAGES
from etude.data import create_dataset, open_dataset
from etude.data.draft import drafts
from etude.envs.robot_env import RobotEnv
from etude.hardware import cameras, robots, teleoperators
from etude.hardware.cameras.owner import owned
from etude.hardware.device import connected
from etude.rollout.agents import TeleoperatorAgent
from etude.rollout.loop import rollout
from etude.rollout.sinks import RecordSink, StateSink
from etude.sim.marks import read_mark
from etude.sim.scene import TIMESTEP_S
from etude.sim.world import shared_world

HZ = 30
TICKS = 20
Sim = partial(cameras.config("sim"), width=96, height=96)


class Cable(StateSink):
    """Pulls the front camera's cable at one tick and plugs it in at another."""

    def __init__(self, pulled_at=None, plugged_at=None):
        self._pulled_at, self._plugged_at, self._ticks = pulled_at, plugged_at, 0

    def tick(self, frame, step):
        self._ticks += 1
        if self._ticks == self._pulled_at:
            shared_world().unplugged.add("front")
        if self._ticks == self._plugged_at:
            shared_world().unplugged.discard("front")


def pass_tick(clock):
    clock.sleep_until(clock.now() + 1 / HZ)


@pytest.fixture
def record(tmp_path):
    """Record one episode of a simulated arm with such a camera; give the dataset's folder."""

    def record(camera, cable):
        robot = robots.build(robots.config("so101_follower")(cameras={"front": camera}))
        person = teleoperators.build(teleoperators.config("scripted")())
        writer = create_dataset(tmp_path / "data", {**robot.observation, "action": robot.action}, fps=HZ)
        try:
            with connected(robot, person):
                env = RobotEnv(robot, hz=HZ)
                sinks = [RecordSink(writer, "Test", timing=lambda: env.timing), cable]
                rollout(env, TeleoperatorAgent(person), sinks, max_ticks=TICKS)
        finally:
            writer.close()
            shared_world().unplugged.clear()
        return tmp_path / "data"

    return record


def test_a_loose_cable_flags_the_frames_that_repeat_a_picture(record):
    dataset = open_dataset(record(Sim(), Cable(5, 12)))
    repeated = dataset.timing()[f"{IMAGES}front/is_repeated"]
    assert np.flatnonzero(repeated).tolist() == list(range(6, 13))


def test_a_cable_that_stays_away_ends_the_recording_with_a_sentence(record, tmp_path):
    with pytest.raises(CameraError, match="Camera 'front': it was unplugged"):
        record(Sim(grace_s=0.2), Cable(5))
    assert len(open_dataset(tmp_path / "data").episodes) == 0
    assert [draft.num_frames for draft in drafts(tmp_path / "data")] == [11]


def test_recorded_pictures_are_those_of_their_times(record):
    """Through the camera's delay, the video codec and the dataset: the number in the pixels is that of the time."""
    dataset = open_dataset(record(Sim(mark_frames=True, latency_s=0.05), Cable()))
    pictures = dataset.images(IMAGES + "front", np.arange(TICKS))
    steps = dataset.timing()[f"{IMAGES}front"] / TIMESTEP_S
    assert [read_mark(picture) for picture in pictures] == np.round(steps).tolist()


def test_distances_are_recorded_beside_the_colours(record):
    robot = robots.build(robots.config("so101_follower")(cameras={"front": Sim(use_depth=True)}))
    with connected(robot):
        seen = RobotEnv(robot, hz=HZ).reset(0)[IMAGES + "front_depth"]
    robot.scene.reset(0)
    dataset = open_dataset(record(Sim(use_depth=True), Cable()))
    stored = dataset.images(IMAGES + "front_depth", np.arange(TICKS))
    assert stored.dtype == np.uint16
    assert stored.shape == (TICKS, 96, 96, 1)
    error_mm = np.abs(stored[0].astype(int) - seen)
    assert np.median(error_mm) <= 2, "12-bit codes"


def test_a_robots_cameras_in_another_process(tmp_path):
    """What is recorded is what its cameras took, with their own times."""
    film = tmp_path / "film"
    film.mkdir()
    for number in range(10):
        cv2.imwrite(str(film / f"{number}.png"), np.full((48, 64, 3), 25 * number, np.uint8))
    camera = cameras.config("video")(path=str(film / "%d.png"), fps=50.0)
    config = robots.config("fake")(cameras={"front": camera})
    with owned(config) as shared, connected(robot := robots.build(shared)):
        env = RobotEnv(robot, hz=HZ)
        env.reset(0)
        times = []
        for _ in range(8):
            step = env.step(np.zeros(robot.action.shape, np.float32), partial(pass_tick, env.clock))
            picture, taken_at = step.frame[IMAGES + "front"], env.timing.camera_time_s[IMAGES + "front"]
            assert (picture == picture[0, 0]).all()
            assert 0 <= env.clock.now() - taken_at < 2
            times.append(taken_at)
        assert robot.health().cameras["front"].problem == ""
    assert len(set(times)) > 3
