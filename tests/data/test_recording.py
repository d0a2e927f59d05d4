import threading

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.recording import CameraRecorder, OpenEpisode
from etude.data.video import VideoReader, VideoWriter

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


def test_an_episode_whose_video_lacks_a_picture_is_refused(tmp_path, specs, make_frame):
    path = tmp_path / "a.mp4"
    camera = CameraRecorder(VideoWriter(path, 10), queue_size=4)
    episode = OpenEpisode(specs, {"observation.images.front": camera}, {"observation.images.front": path})
    for tick in range(3):
        episode.add(make_frame(0, tick))
    episode.num_frames += 1
    with pytest.raises(DatasetError, match="holds 3 pictures for 4 frames"):
        episode.finish()


def test_discarding_deletes_the_video(tmp_path, specs, make_frame):
    path = tmp_path / "a.mp4"
    camera = CameraRecorder(VideoWriter(path, 10), queue_size=4)
    episode = OpenEpisode(specs, {"observation.images.front": camera}, {"observation.images.front": path})
    episode.add(make_frame(0, 0))
    episode.discard()
    assert not path.exists()


def test_a_take_holds_rows_pictures_and_statistics(tmp_path, specs, make_frame):
    path = tmp_path / "a.mp4"
    camera = CameraRecorder(VideoWriter(path, 10), queue_size=4)
    episode = OpenEpisode(specs, {"observation.images.front": camera}, {"observation.images.front": path})
    for tick in range(3):
        episode.add(make_frame(1, tick))
    take = episode.finish()
    assert len(take) == VideoReader(path).num_frames == 3
    assert take.columns["observation.state"].tolist() == [[1, 0], [1, 1], [1, 2]]
    assert take.stats["action"].mean.tolist() == [-1, -1]
    np.testing.assert_allclose(take.stats["observation.images.front"].max.ravel(), (20 + 50 + 16) / 255)
