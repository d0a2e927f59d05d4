import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.video import VideoWriter


def test_a_writer_that_saw_no_picture_leaves_no_file(tmp_path):
    VideoWriter(tmp_path / "empty.mp4", 30).close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    video = VideoWriter(tmp_path / "nowhere/a.mp4", 30)
    video.add(np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"nowhere/a\.mp4: cannot be written"):
        video.close()
