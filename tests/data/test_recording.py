import json

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.camera_recorder import CameraRecorder
from etude.data.recording import OpenEpisode
from etude.data.timing import Timing
from etude.data.video import VideoReader, VideoWriter

FRONT = "observation.images.front"


def recorder(path, _):
    return CameraRecorder(VideoWriter(path, 10, is_fragmented=True), queue_size=4)


@pytest.fixture
def episode(tmp_path, specs):
    episode = OpenEpisode(tmp_path / "draft", specs, 10, recorder)
    yield episode
    episode.discard()


def test_an_episode_whose_video_lacks_a_picture_is_refused(episode, make_frame):
    for tick in range(3):
        episode.add(make_frame(0, tick), None)
    episode.num_frames += 1
    with pytest.raises(DatasetError, match="holds 3 pictures for 4 frames"):
        episode.finish()


def test_discarding_deletes_everything(episode, make_frame):
    episode.add(make_frame(0, 0), None)
    episode.discard()
    assert not episode.folder.exists()


def test_leaving_keeps_the_draft(episode, make_frame):
    episode.add(make_frame(0, 0), None)
    episode.leave()
    assert sorted(path.name for path in episode.folder.iterdir()) == ["episode.json", f"{FRONT}.mp4", "rows.bin"]
    assert json.loads((episode.folder / "episode.json").read_text())["fps"] == 10


def test_a_take_holds_rows_pictures_statistics_and_times(episode, make_frame):
    for tick in range(3):
        episode.add(make_frame(1, tick), Timing(time_s=tick / 10, is_late=tick == 2))
    take = episode.finish()
    assert len(take) == VideoReader(take.videos[FRONT]).num_frames == 3
    assert take.columns["observation.state"].tolist() == [[1, 0], [1, 1], [1, 2]]
    assert take.stats["action"].mean.tolist() == [-1, -1]
    np.testing.assert_allclose(take.stats[FRONT].max.ravel(), (20 + 50 + 16) / 255)
    assert take.timing["time_s"].tolist() == [0, 0.1, 0.2]
    assert take.timing["is_late"].tolist() == [False, False, True]
    assert take.timing[FRONT].tolist() == [0, 0.1, 0.2]


def test_untimed_frames_have_no_times(episode, make_frame):
    episode.add(make_frame(1, 0), None)
    assert episode.finish().timing == {}


def test_every_row_is_on_disk_before_the_next_one_comes(episode, make_frame):
    sizes = []
    for tick in range(3):
        episode.add(make_frame(0, tick), None)
        sizes.append((episode.folder / "rows.bin").stat().st_size)
    assert sizes == [sizes[0], 2 * sizes[0], 3 * sizes[0]]
