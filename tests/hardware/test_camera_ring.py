import os
import subprocess
import sys
import threading
import time
from itertools import count

import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras
from etude.hardware.cameras import place
from etude.hardware.cameras.ring import RingReader, RingWriter
from etude.hardware.cameras.source import COLOUR, DEPTH, colour_spec, depth_spec
from etude.hardware.device import connected
from etude.hardware.health import CameraHealth

SPECS = {COLOUR: colour_spec(5, 3), DEPTH: depth_spec(5, 3)}
_numbers = count()


def pictures(level):
    return {COLOUR: np.full((3, 5, 3), level, np.uint8), DEPTH: np.full((3, 5, 1), 256 * level, np.uint16)}


@pytest.fixture
def path():
    yield place.ring_path(f"test-{os.getpid()}-{next(_numbers)}", "front")
    place.sweep()


@pytest.fixture
def writer(path):
    writer = RingWriter(path, SPECS)
    yield writer
    writer.close()


@pytest.fixture
def reader(path, writer):
    reader = RingReader(path)
    yield reader
    reader.close()


def test_before_the_first_picture_there_is_none(reader):
    assert reader.newest() is None
    assert reader.specs == SPECS


def test_every_reader_gets_the_newest_pictures(path, writer, reader):
    another = RingReader(path)
    for level in range(1, 10):
        writer.write(pictures(level), level / 10)
        for shot in (reader.newest(), another.newest()):
            assert (shot.number, shot.taken_at) == (level, level / 10)
            for suffix, expected in pictures(level).items():
                np.testing.assert_array_equal(shot.pictures[suffix], expected)
    another.close()


def test_what_was_copied_stays(writer, reader):
    writer.write(pictures(1), 0.1)
    shot = reader.newest()
    for level in range(2, 9):
        writer.write(pictures(level), 0.2)
    assert (shot.pictures[COLOUR] == 1).all()


def test_a_picture_that_was_overwritten_while_it_was_looked_at_is_known(writer, reader):
    writer.write(pictures(1), 0.1)
    shot = reader.peek(1)
    for level in (2, 3, 4):
        writer.write(pictures(level), 0.2)
    assert reader.is_whole(shot)
    assert (shot.pictures[COLOUR] == 1).all()
    writer.write(pictures(5), 0.3)
    assert not reader.is_whole(shot)
    assert (shot.pictures[COLOUR] == 5).all(), "nothing was copied"


WRITE_FAST = """
import sys, time
import numpy as np
from pathlib import Path
from etude.hardware.cameras.ring import RingWriter
from etude.hardware.cameras.source import COLOUR, colour_spec
ring = RingWriter(Path(sys.argv[1]), {COLOUR: colour_spec(640, 480)})
pictures = [{COLOUR: np.full((480, 640, 3), level, np.uint8)} for level in range(7)]
ring.write(pictures[0], 0.0)
print("ready", flush=True)
for number in range(10**9):
    ring.write(pictures[number % 7], float(number % 7))
"""


@pytest.fixture
def fast_writer(path):
    process = subprocess.Popen([sys.executable, "-c", WRITE_FAST, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_no_picture_is_torn_however_fast_another_process_writes(path, fast_writer):
    reader = RingReader(path)
    seen, ends = set(), time.monotonic() + 60
    while len(seen) < 20 and time.monotonic() < ends:  # on a busy machine the writer has its turn when it has
        shot = reader.newest()
        picture = shot.pictures[COLOUR]
        assert picture.min() == picture.max() == shot.taken_at
        seen.add(shot.number)
    assert len(seen) == 20
    reader.close()


def test_what_a_killed_writer_leaves_is_removed_and_nothing_else(path, fast_writer):
    alive = RingWriter(path.with_name("alive.ring"), SPECS)
    reader = RingReader(path)
    assert reader.is_current()
    fast_writer.kill()
    fast_writer.wait()
    assert path.exists()
    assert not reader.is_current()
    reader.close()
    place.sweep()
    assert [ring.name for ring in path.parent.iterdir()] == ["alive.ring"]
    alive.close()


def test_health_travels_too(writer, reader):
    told = CameraHealth(fps=29.5, reconnects=2, problem="it was unplugged: ♥.")
    writer.tell(told)
    assert reader.health() == told
    writer.tell(CameraHealth(problem="x" * 5000))
    assert reader.health().problem == "x" * 1024
    writer.tell(CameraHealth())
    assert reader.health() == CameraHealth()


def test_an_owner_that_died_while_it_spoke_is_not_waited_for(writer, reader):
    writer.tell(told := CameraHealth(fps=20.0))
    assert reader.health() == told
    writer._slots.health["version"] += 1
    writer._slots.health["fps"] = 3.0
    assert reader.health() == told


def test_what_is_shared_can_be_asked_for(path, writer):
    owner = path.parent.name
    assert place.shared_now()[owner] == ["front"]
    with pytest.raises(
        CameraError, match=rf"Camera 'wrist': '{owner}' does not share it. Shared now: .*{owner}: front"
    ):
        RingReader(place.ring_path(owner, "wrist"))
    writer.close()
    assert owner not in place.shared_now()


def test_what_is_no_ring_is_refused(path):
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)
    with pytest.raises(CameraError, match="is no ring of pictures"):
        RingReader(path)


def test_it_is_for_this_users_eyes_only(writer, path):
    assert path.stat().st_mode & 0o077 == 0
    assert place.root().stat().st_mode & 0o077 == 0


class TestSharedCamera:
    """What concerns the reader; the processes are tested with the owner."""

    @pytest.fixture
    def camera(self, path):
        config = cameras.config("shared")(owner=path.parent.name, camera=path.stem, grace_s=60.0)
        return cameras.build(config)

    def test_the_time_is_that_of_the_capture(self, writer, camera):
        now = time.perf_counter()
        writer.write(pictures(1), now)
        with connected(camera):
            np.testing.assert_array_equal(camera.read(), pictures(1)[COLOUR])
            assert camera.taken_at == now
            assert camera.read() is camera.read()
            assert set(camera.read_all()) == {COLOUR, DEPTH}

    def test_a_picture_that_is_too_old_is_not_given(self, writer, camera):
        writer.write(pictures(1), time.perf_counter() - 61)
        writer.tell(CameraHealth(problem="it was unplugged."))
        with connected(camera), pytest.raises(CameraError, match=r"no new picture for 61.\d s: it was unplugged"):
            camera.read()

    def test_the_next_one_is_waited_for(self, writer, camera):
        writer.write(pictures(1), time.perf_counter())
        with connected(camera):
            camera.read()
            threading.Timer(0.02, lambda: writer.write(pictures(2), time.perf_counter())).start()
            assert (camera.read_next(5.0) == 2).all()
            with pytest.raises(CameraError, match="no new picture"):
                camera.read_next(0.01)

    def test_it_changes_over_to_a_new_owner(self, path, writer, camera):
        writer.write(pictures(1), time.perf_counter() - 1)
        with connected(camera):
            camera.read()
            writer.close()
            assert camera.health().problem == "the process that owns it has ended."
            successor = RingWriter(path, SPECS)
            successor.write(pictures(2), time.perf_counter())
            camera._asked_at = 0.0
            assert (camera.read() == 2).all()
            assert (camera.health().reconnects, camera.health().problem) == (1, "")
            successor.close()

    @pytest.mark.parametrize("name", ["", "a/b", "../x", "a\\b"])
    def test_names_are_plain(self, name):
        with pytest.raises(ConfigError, match="plain words"):
            cameras.config("shared")(owner=name, camera="front")
