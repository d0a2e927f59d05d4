from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etude.core.errors import DatasetError
from etude.data.video import VideoReader, VideoWriter
from etude.data.video.remux import remux

COUNT = 14
CODECS = {
    "av1": {"preset": 13},
    "h264": {"vcodec": "h264"},
    "hevc": {"vcodec": "hevc"},
    "h264 with pictures out of order": {"vcodec": "h264", "g": 6},
    "hevc with pictures out of order": {"vcodec": "hevc", "g": 6},
}


def picture(number):
    return np.full((48, 64, 3), 20 + 15 * number, np.uint8)


def shown(path):
    """Tell the numbers of a file's pictures from how grey they are."""
    reader = VideoReader(path)
    return np.rint((reader.frames(np.arange(reader.num_frames)).mean((1, 2, 3)) - 20) / 15).astype(int).tolist()


@pytest.fixture(scope="module", params=CODECS)
def growing(request, tmp_path_factory):
    """A file as it is while recording, and then finished."""
    path = tmp_path_factory.mktemp("video") / "growing.mp4"
    video = VideoWriter(path, 30, crf=20, is_fragmented=True, **CODECS[request.param])
    for number in range(COUNT):
        video.add(picture(number))
    video.close()
    return path


def test_a_remuxed_file_shows_each_picture_at_its_number_over_fps(growing, tmp_path):
    assert remux(growing, tmp_path / "plain.mp4") == COUNT
    with av.open(str(tmp_path / "plain.mp4")) as container:
        frames = list(container.decode(video=0))
        times = [frame.pts * frame.time_base for frame in frames]
    assert times == [Fraction(number, 30) for number in range(COUNT)]
    assert shown(tmp_path / "plain.mp4") == list(range(COUNT))


def test_a_remuxed_file_begins_with_its_index(growing, tmp_path):
    remux(growing, tmp_path / "plain.mp4")
    data = (tmp_path / "plain.mp4").read_bytes()
    assert b"moof" not in data
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_coded_pictures_are_the_same_bytes(growing, tmp_path):
    remux(growing, tmp_path / "plain.mp4")
    packets = []
    for path in (growing, tmp_path / "plain.mp4"):
        with av.open(str(path)) as container:
            packets.append([bytes(packet) for packet in container.demux(video=0)])
    assert packets[0] == packets[1]


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1))
def test_a_file_cut_anywhere_plays_from_its_start_without_a_gap(growing, tmp_path_factory, share):
    folder, data = tmp_path_factory.mktemp("cut"), growing.read_bytes()
    size = round(share * len(data))
    (folder / "cut.mp4").write_bytes(data[:size])
    whole = data[:size].count(b"moof") - 1
    try:
        count = remux(folder / "cut.mp4", folder / "plain.mp4")
    except DatasetError:
        assert whole < 1
    else:
        assert count >= whole
        assert shown(folder / "plain.mp4") == list(range(count))


def test_packets_are_in_the_file_before_it_is_closed(tmp_path):
    path = tmp_path / "growing.mp4"
    video = VideoWriter(path, 30, vcodec="h264", is_fragmented=True)
    rng = np.random.default_rng(0)
    for _ in range(90):
        video.add(rng.integers(0, 256, (48, 64, 3), np.uint8))
    count = remux(path, tmp_path / "copy.mp4")  # as after a crash: nobody has closed it
    video.close()
    assert 0 < count < 90
    assert VideoReader(tmp_path / "copy.mp4").num_frames == count


@pytest.mark.parametrize("content", [b"", b"not a video at all", b"\0\0\0\x10ftypisom\0\0\2\0"])
def test_a_file_without_pictures_is_refused(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.mp4"):
        remux(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert not (tmp_path / "b.mp4").exists()


def test_a_missing_file_and_a_place_that_cannot_be_written_are_named(growing, tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.mp4: is missing"):
        remux(tmp_path / "gone.mp4", tmp_path / "b.mp4")
    with pytest.raises(DatasetError, match=r"nowhere/b\.mp4: cannot be written"):
        remux(growing, tmp_path / "nowhere/b.mp4")
