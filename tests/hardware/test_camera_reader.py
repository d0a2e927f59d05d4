import threading

import numpy as np
import pytest

from etude.core.errors import CameraError
from etude.hardware.cameras.reader import Reader


class Source:
    """A camera whose pictures the test lets through one by one."""

    def __init__(self):
        self.number, self.problem = 0, None
        self.gate, self.taken = threading.Semaphore(0), threading.Semaphore(0)

    def grab(self):
        self.taken.release()
        self.gate.acquire()
        if self.problem:
            raise self.problem
        self.number += 1
        return np.array([self.number])

    def give(self, count):
        """Let pictures through; return when the reader asks for the one after."""
        for _ in range(count):
            self.gate.release()
            assert self.taken.acquire(timeout=5)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def reader(source):
    reader = Reader("test", source.grab)
    reader.start()
    assert source.taken.acquire(timeout=5)
    yield reader
    reader._is_stopping = True
    source.gate.release()
    reader.stop()
    assert not reader._thread.is_alive()


def test_the_newest_picture_wins(source, reader):
    source.give(3)
    assert reader.newest(5.0) == [3]
    assert reader.newest(5.0) == [3]


def test_the_first_picture_is_waited_for(source, reader):
    threading.Timer(0.02, source.gate.release).start()
    assert reader.newest(5.0) == [1]


def test_an_old_picture_is_not_given(source, reader):
    source.give(1)
    reader._taken_at -= 10
    with pytest.raises(CameraError, match=r"Camera 'test': no picture for 0.01 s"):
        reader.newest(0.01)


def test_what_broke_the_camera_is_told(source, reader):
    source.problem = CameraError("test", "it burns.")
    source.gate.release()
    with pytest.raises(CameraError, match="it burns"):
        reader.newest(5.0)
