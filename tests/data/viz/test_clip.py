import shutil

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data import open_dataset
from etude.data.video import VideoReader
from etude.data.video.splice import coding
from etude.data.viz.clip import write_clip

FRONT = "observation.images.front"


def test_what_browsers_play_is_copied(arm, tmp_path):
    write_clip(arm, FRONT, 1, tmp_path / "clip.mp4")
    assert coding(tmp_path / "clip.mp4").codec == "av1"
    clip, rows = VideoReader(tmp_path / "clip.mp4"), np.arange(6, 36)
    np.testing.assert_array_equal(clip.frames(np.arange(30)), arm.images(FRONT, rows))


def test_h264_on_demand(arm, tmp_path):
    write_clip(arm, FRONT, 1, tmp_path / "clip.mp4", h264=True)
    assert coding(tmp_path / "clip.mp4").codec == "h264"
    clip = VideoReader(tmp_path / "clip.mp4")
    assert clip.num_frames == 30
    np.testing.assert_allclose(clip.frames(np.arange(30)).mean((1, 2, 3)), 40 + 6 * np.arange(30), atol=4)


@pytest.mark.parametrize("name", ["lerobot_v3", "lerobot_v21"])
def test_pictures_of_any_dataset_become_a_clip(golden, tmp_path, name):
    dataset = open_dataset(golden / name)
    for key in dataset.codecs:
        write_clip(dataset, key, 0, tmp_path / f"{key}.mp4")
        assert VideoReader(tmp_path / f"{key}.mp4").num_frames == len(dataset.episodes[0])


def test_pictures_that_are_not_there_are_named(arm, tmp_path):
    root = shutil.copytree(arm.root, tmp_path / "dataset")
    one, other = (next(root.glob(f"videos/{FRONT}/*/file-00{number}.mp4")) for number in range(2))
    shutil.copy(one, other)
    with pytest.raises(DatasetError, match=r"file-001.mp4: holds no frame 29"):
        write_clip(open_dataset(root), FRONT, 1, tmp_path / "clip.mp4")
