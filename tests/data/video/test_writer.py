import os
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.video import VideoReader, VideoWriter, encoders


def test_a_writer_that_saw_no_picture_leaves_no_file(tmp_path):
    VideoWriter(tmp_path / "empty.mp4", 30).close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    video = VideoWriter(tmp_path / "nowhere/a.mp4", 30)
    video.add(np.zeros((48, 64, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"nowhere/a\.mp4: cannot be written"):
        video.close()


@pytest.mark.parametrize("vcodec", ["libsvtav1", "h264", "hevc"])
def test_colours_come_back_and_the_pictures_buffer_may_be_used_again(tmp_path, vcodec):
    video, buffer = VideoWriter(tmp_path / "a.mp4", 30, vcodec=vcodec, crf=10), np.empty((48, 64, 3), np.uint8)
    colours = np.array([(200, 40, 60), (30, 180, 90), (20, 50, 210), (128, 128, 128), (235, 220, 30)])
    for colour in colours:
        buffer[:] = colour
        video.add(buffer)
    video.close()
    shown = VideoReader(tmp_path / "a.mp4").frames(np.arange(5)).mean((1, 2))
    np.testing.assert_allclose(shown, colours, atol=6)


def test_a_picture_that_is_not_contiguous_is_encoded_as_it_looks(tmp_path):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = 200
    video = VideoWriter(tmp_path / "a.mp4", 30, crf=10)
    video.add(picture[:, ::-1])
    video.close()
    shown = VideoReader(tmp_path / "a.mp4").frames(np.array([0]))[0]
    assert shown[:, :24].mean() < 20
    assert shown[:, 40:].mean() > 180


@pytest.mark.parametrize("vcodec", ["h264_nvenc", "h264_vaapi", "no_such_encoder"])
def test_an_encoder_that_does_not_work_here_is_named(tmp_path, vcodec):
    if encoders.works(vcodec):
        pytest.skip(f"{vcodec} works here")
    video = VideoWriter(tmp_path / "a.mp4", 30, vcodec=vcodec)
    with pytest.raises(DatasetError, match=f"cannot be encoded as {vcodec} at 64x48"):
        video.add(np.zeros((48, 64, 3), np.uint8))
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities per thread")
def test_the_encoders_threads_give_way_and_the_callers_does_not(tmp_path):
    def niceness():
        return {int(task.name): os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in tasks.iterdir()}

    tasks = Path("/proc/self/task")
    before, video = niceness(), VideoWriter(tmp_path / "a.mp4", 30)
    video.add(np.zeros((48, 64, 3), np.uint8))
    after = niceness()
    video.close()
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    started = [nice for thread, nice in after.items() if thread not in before]
    assert started
    assert all(nice > usual for nice in started)
    assert after[threading.get_native_id()] == usual
