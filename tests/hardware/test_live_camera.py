import threading

import numpy as np
import pytest

from etude.core.errors import CameraError
from etude.hardware.cameras import live
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.pace import Pace
from etude.hardware.cameras.source import COLOUR, DEPTH, Ended
from etude.hardware.device import connected


class Source:
    """A camera whose pictures the test lets through one by one."""

    name = "test"

    def __init__(self):
        self.specs = {}
        self.number, self.problem, self.is_plugged = 0, None, True
        self.opened = self.closed = 0
        self.gate, self.taken = threading.Semaphore(1), threading.Semaphore(0)

    def open(self):
        if not self.is_plugged:
            raise CameraError("test", "it is gone.")
        self.opened += 1

    def grab(self):
        self.taken.release()
        self.gate.acquire()
        if self.problem:
            raise self.problem
        if not self.is_plugged:
            raise CameraError("test", "it is gone.")
        self.number += 1
        return {COLOUR: np.array([self.number]), DEPTH: np.array([-self.number])}

    def interrupt(self):
        self.gate.release()

    def close(self):
        self.closed += 1

    def give(self, count):
        """Let pictures through; return when the reader asks for the one after."""
        for _ in range(count):
            self.gate.release()
            assert self.taken.acquire(timeout=5)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def camera(source):
    camera = LiveCamera(source, grace_s=60.0, retry_s=0.001)
    with connected(camera):
        for _ in range(2):
            assert source.taken.acquire(timeout=5)
        thread = camera._thread
        yield camera
    assert not thread.is_alive()
    assert source.closed >= source.opened


def age(camera, by_s):
    """Pretend that the newest picture came so much earlier."""
    with camera._changed:
        camera._taken_at -= by_s


def test_the_newest_picture_wins(source, camera):
    source.give(2)
    assert camera.read() == [3]
    assert camera.read() == [3]


def test_pictures_of_one_instant_come_together(source, camera):
    source.give(1)
    assert camera.read_all() == {COLOUR: [2], DEPTH: [-2]}
    assert camera.read() == [2]


def test_the_next_picture_is_waited_for(source, camera):
    assert camera.read_next(5.0) == [1]
    threading.Timer(0.02, source.gate.release).start()
    assert camera.read_all_next(5.0) == {COLOUR: [2], DEPTH: [-2]}


def test_a_next_picture_that_does_not_come_is_told(camera):
    camera.read()
    with pytest.raises(CameraError, match=r"Camera 'test': no new picture for .* s: check its cable or network"):
        camera.read_next(0.01)


def test_a_picture_that_is_given_again_keeps_its_time(source, camera):
    camera.read()
    first = camera.taken_at
    camera.read()
    assert camera.taken_at == first
    source.give(1)
    camera.read()
    assert camera.taken_at > first


def test_an_unplugged_camera_gives_its_last_picture_and_comes_back_by_itself(source, camera):
    source.give(1)
    camera.read()
    before = camera.taken_at
    source.is_plugged = False
    source.gate.release()
    while not camera.health().problem:
        threading.Event().wait(0.001)
    assert (camera.read(), camera.taken_at) == ([2], before)
    assert camera.health().problem == "it is gone."
    source.is_plugged = True
    assert source.taken.acquire(timeout=5)
    source.gate.release()
    assert camera.read_next(5.0) == [3]
    health = camera.health()
    assert (health.reconnects, health.problem) == (1, "")
    assert source.opened == 2


def test_a_camera_that_stays_away_is_told(source, camera):
    source.is_plugged = False
    source.gate.release()
    while not camera.health().problem:
        threading.Event().wait(0.001)
    age(camera, 61.0)
    with pytest.raises(CameraError, match=r"Camera 'test': no new picture for 61\.\d s: it is gone\."):
        camera.read()


def test_a_stalled_camera_is_told(camera):
    age(camera, 2.0)
    assert "no picture for 2.0 s" in camera.health().problem
    assert camera.read() == [1]


def test_a_driver_that_fails_in_its_own_words_is_opened_again(source, camera):
    source.problem = RuntimeError("null pointer passed for argument")
    source.gate.release()
    while not camera.health().problem:
        threading.Event().wait(0.001)
    assert camera.health().problem == "its driver failed: RuntimeError: null pointer passed for argument."
    source.problem = None
    source.give(2)
    camera.read()
    assert camera.health().reconnects == 1


def test_a_film_that_ended_is_not_opened_again(source, camera):
    source.problem = Ended("test", "the film has ended.")
    source.gate.release()
    with pytest.raises(CameraError, match="the film has ended"):
        while True:
            camera.read_next(5.0)
    with pytest.raises(CameraError, match="the film has ended"):
        camera.read()
    assert source.opened == 1


def test_a_driver_that_hangs_is_told_and_not_opened_twice(source, monkeypatch):
    monkeypatch.setattr(live, "_JOIN_TIMEOUT_S", 0.01)
    camera = LiveCamera(source)
    camera.connect()
    thread, source.interrupt = camera._thread, lambda: None
    camera.disconnect()
    with pytest.raises(CameraError, match="its driver hangs"):
        camera.connect()
    source.gate.release()
    thread.join(5)
    source.gate.release()
    camera.connect()
    camera.disconnect()
    source.gate.release()
    assert source.opened == 2


def test_the_pace_is_that_of_the_last_two_seconds():
    pace = Pace()
    assert pace.fps(0.0) == 0
    for number in range(31):
        pace.tick(number * 0.1)
    assert pace.fps(3.0) == pytest.approx(10.0)
    assert pace.fps(6.0) == 0
