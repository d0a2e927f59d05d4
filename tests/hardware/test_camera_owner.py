import os
import signal
import subprocess
import sys
import threading
from itertools import count

import cv2
import numpy as np
import pytest

from etude.core.errors import DeviceError
from etude.hardware import cameras, robots
from etude.hardware.cameras import place
from etude.hardware.cameras.owner import Owner, owned
from etude.hardware.cameras.ring import RingReader
from etude.hardware.device import connected

Video = cameras.config("video")
_numbers = count()


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 100, (32, 24))
    for level in range(0, 250, 25):
        film.write(np.full((24, 32, 3), level, np.uint8))
    film.release()
    return str(path)


@pytest.fixture
def name():
    yield (name := f"owner-{os.getpid()}-{next(_numbers)}")
    place.sweep()
    assert not (place.root() / name).exists()


def eventually(happened, what):
    for _ in range(1000):
        if happened():
            return
        threading.Event().wait(0.01)
    raise AssertionError(what)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


LOOK = """
import sys
from etude.hardware import cameras
camera = cameras.build(cameras.config("shared")(owner=sys.argv[1], camera="front"))
camera.connect()
print(len({camera.read_next(5.0).mean().round(-1) for _ in range(20)}), camera.taken_at)
"""


def test_several_processes_look_at_once(film, name):
    with Owner({"front": Video(path=film), "fake": cameras.config("fake").tiny()}, name) as owner:
        assert cameras.name_of(owner.cameras["front"]) == "shared"
        assert cameras.name_of(owner.cameras["fake"]) == "fake", "others need no second process"
        with connected(camera := cameras.build(owner.cameras["front"])):
            before = camera.taken_at
            said = subprocess.run(
                [sys.executable, "-c", LOOK, name], capture_output=True, text=True, check=True
            ).stdout.split()
            assert int(said[0]) > 2, "it saw the film play"
            camera.read_next(5.0)
            assert before < float(said[1]) < camera.taken_at, "all clocks are one"
            assert camera.health().fps > 10
        pid = owner.pid
    assert not is_running(pid)


def test_an_owner_that_dies_is_replaced_and_whoever_looks_goes_on(film, name):
    with Owner({"front": Video(path=film, grace_s=60.0)}, name) as owner:
        with connected(camera := cameras.build(owner.cameras["front"])):
            camera.read()
            last, first_pid = camera.taken_at, owner.pid
            os.kill(first_pid, signal.SIGKILL)
            eventually(lambda: camera.health().problem, "it is told")
            camera.read()
            eventually(lambda: camera.read() is not None and camera.health().reconnects == 1, "a new owner shares it")
            camera.read_next(5.0)
            assert camera.taken_at > last
            assert camera.health().problem == ""
        assert owner.pid != first_pid


OWN = """
import sys
from etude.hardware import cameras
from etude.hardware.cameras.owner import Owner
owner = Owner({"front": cameras.config("video")(path=sys.argv[2])}, sys.argv[1])
owner.start()
print(owner.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def program(film, name):
    """A program that owns a camera; gives it, and the number of its owner."""
    program = subprocess.Popen(
        [sys.executable, "-c", OWN, name, film], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield program, int(program.stdout.readline())
    program.kill()
    program.wait()
    program.stdin.close()
    program.stdout.close()


def test_the_owner_ends_with_a_program_that_is_killed_and_leaves_nothing(program, name):
    program, _ = program
    assert place.ring_path(name, "front").exists()
    program.kill()
    program.wait()
    eventually(lambda: not (place.root() / name).exists(), "everything is removed")


def test_what_is_left_when_both_are_killed_goes_with_the_next_start(program, film, name):
    program, pid = program
    os.kill(program.pid, signal.SIGSTOP)  # so that it cannot start a new owner
    os.kill(pid, signal.SIGKILL)
    program.kill()
    program.wait()
    left = RingReader(place.ring_path(name, "front"))
    eventually(lambda: not left.is_current(), "the owner is dead")
    left.close()
    with Owner({"front": Video(path=film)}, name):
        pass
    assert not place.ring_path(name, "front").exists()


def test_a_camera_that_does_not_open_is_told_in_its_own_words(name):
    with (
        pytest.raises(DeviceError, match=r"Camera 'missing.avi': it cannot be opened"),
        Owner({"front": Video(path="missing.avi")}, name),
    ):
        pass


def test_two_owners_cannot_have_one_name(film, name):
    with Owner({"front": Video(path=film)}, name):
        with pytest.raises(DeviceError, match=f"Cameras are shared as '{name}' by another process already"):
            Owner({"front": Video(path=film)}, name).start()
        assert place.ring_path(name, "front").exists()


def test_a_robots_cameras_are_owned_by_one_switch(film, name):
    config = robots.config("fake")(cameras={"front": Video(path=film)})
    with owned(config, name) as shared, connected(robot := robots.build(shared)):
        assert robot.observe()["observation.images.front"].shape == (24, 32, 3)


def test_the_cameras_of_both_arms_of_a_pair_are_owned(film, name):
    top, wrist = {"type": "video", "path": film}, {"type": "fake", "width": 8, "height": 6}
    config = robots.config("bimanual")(
        left_arm_config={"type": "fake", "num_joints": 2, "cameras": {"top": top, "wrist": wrist}},
        right_arm_config={"type": "fake", "num_joints": 2},
    )
    with owned(config, name) as shared:
        chosen = {camera: values["type"] for camera, values in shared.left_arm_config["cameras"].items()}
        assert chosen == {"top": "shared", "wrist": "fake"}
        assert shared.right_arm_config == config.right_arm_config
        with connected(robot := robots.build(shared)):
            assert robot.observe()["observation.images.left_top"].shape == (24, 32, 3)


def test_without_cameras_there_is_no_process(name):
    with Owner({}, name) as owner:
        assert owner.pid == 0
