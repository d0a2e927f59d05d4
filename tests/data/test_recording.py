import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.camera_recorder import CameraRecorder
from etude.data.recording import OpenEpisode
from etude.data.video import VideoReader, VideoWriter


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
