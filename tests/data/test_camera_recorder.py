import threading

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.camera_recorder import CameraRecorder

BLACK = np.zeros((16, 16, 3), np.uint8)


class Slow:
    """A video that encodes only when it is let, and may fail."""

    def __init__(self, path, failure=None):
        self.path, self.failure = path, failure
        self.go, self.seen = threading.Event(), []

    def add(self, picture):
        self.go.wait(10)
        if self.failure:
            raise self.failure
        self.seen.append(int(picture[0, 0, 0]))

    def close(self):
        pass


def test_recording_waits_for_a_slow_encoder_and_drops_nothing(tmp_path):
    video = Slow(tmp_path / "a.mp4")
    recorder = CameraRecorder(video, queue_size=2)
    picture = BLACK.copy()

    def feed():
        for number in range(20):
            picture[:] = number  # the camera's buffer, used again and again
            recorder.add(picture)

    feeder = threading.Thread(target=feed)
    feeder.start()
    feeder.join(0.2)
    assert feeder.is_alive(), "20 pictures cannot fit in a queue of 2"
    video.go.set()
    feeder.join(10)
    assert recorder.finish().count == 20
    assert video.seen == list(range(20))
    assert 0 < recorder.waits <= 18
    assert recorder.waited_s > 0.1


def test_a_fast_encoder_is_never_waited_for(tmp_path):
    video = Slow(tmp_path / "a.mp4")
    recorder = CameraRecorder(video, queue_size=20)
    for _ in range(20):
        recorder.add(BLACK)
    video.go.set()
    recorder.finish()
    assert (recorder.waits, recorder.waited_s) == (0, 0.0)


def test_ending_does_not_wait_and_may_be_said_twice(tmp_path):
    video = Slow(tmp_path / "a.mp4")
    recorder = CameraRecorder(video, queue_size=2)
    recorder.add(BLACK)
    recorder.end()
    assert video.seen == []
    video.go.set()
    recorder.end()
    assert recorder.finish().count == 1


@pytest.mark.parametrize("failure", [DatasetError("a.mp4", "cannot be written"), ValueError("unforeseen")])
def test_an_encoders_failure_reaches_the_recording_thread(tmp_path, failure):
    video = Slow(tmp_path / "a.mp4", failure)
    video.go.set()
    recorder = CameraRecorder(video, queue_size=1)
    with pytest.raises(type(failure), match=str(failure)):
        for _ in range(100):
            recorder.add(BLACK)
    with pytest.raises(type(failure), match=str(failure)):
        recorder.finish()
