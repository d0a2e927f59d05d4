from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from etude.core.errors import DatasetError
from etude.data.video import OpenVideos, VideoReader, VideoWriter

COUNT = 11


def grey(number):
    return np.full((48, 64, 3), 15 + 20 * number, np.uint8)


def film(path, count=COUNT, **options):
    video = VideoWriter(path, 30, **options)
    for number in range(count):
        video.add(grey(number))
    video.close()
    return path


def numbers_shown(pictures):
    return np.rint((pictures.mean((1, 2, 3)) - 15) / 20).astype(int).tolist()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return film(tmp_path_factory.mktemp("video") / "grey.mp4", preset=13)


def test_every_picture_comes_back_by_its_number_in_any_order(path):
    reader = VideoReader(path)
    asked = [7, 0, 10, 3, 3, 2, 9]
    pictures = reader.frames(np.array(asked))
    assert reader.num_frames == COUNT
    assert pictures.shape == (7, 48, 64, 3)
    assert pictures.dtype == np.uint8
    assert numbers_shown(pictures) == asked
    assert numbers_shown(reader.frames(np.arange(COUNT))) == list(range(COUNT))


def test_pictures_survive_the_default_codec_within_a_few_levels(path):
    decoded = VideoReader(path).frames(np.array([4]))[0]
    assert np.abs(decoded.astype(int) - grey(4)).max() <= 3


@pytest.mark.parametrize("options", [{"g": 2}, {"g": 30}, {"vcodec": "h264", "crf": 23, "g": 30}])
def test_key_frame_distance_and_codec_do_not_matter_to_a_reader(tmp_path, options):
    # h264 with distant key frames stores frames out of their order in time.
    reader = VideoReader(film(tmp_path / "a.mp4", **options))
    for asked in ([10], [3, 4], [9, 1, 5], [0]):
        assert numbers_shown(reader.frames(np.array(asked))) == asked


def test_the_default_is_lerobots_av1_with_a_key_frame_every_other_picture(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name in ("libdav1d", "av1", "libaom-av1")
        assert stream.pix_fmt == "yuv420p"
        assert [entry.is_keyframe for entry in stream.index_entries] == [True, False] * 5 + [True]


def test_a_file_whose_clock_starts_late_reads_the_same(tmp_path):
    late = tmp_path / "late.mkv"
    with av.open(str(late), "w") as container:
        stream = container.add_stream("h264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frames = [av.VideoFrame.from_ndarray(grey(number), format="rgb24") for number in range(5)]
        for number, frame in enumerate(frames):
            frame.pts = number + 30
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    reader = VideoReader(late)
    assert numbers_shown(reader.frames(np.array([4, 0, 2]))) == [4, 0, 2]


def test_short_groups_of_pictures_are_given_whole_and_long_ones_up_to_what_is_asked(tmp_path, path, monkeypatch):
    reader = VideoReader(path)
    assert reader.around(np.array([0, 5, 10])).tolist() == [0, 1, 4, 5, 10]
    assert reader.around(np.array([], int)).tolist() == []
    long = VideoReader(film(tmp_path / "long.mp4", preset=13, g=60))
    assert long.around(np.array([3])).tolist() == list(range(COUNT))
    monkeypatch.setattr("etude.data.video.reader._SHORT_GROUP", COUNT - 1)
    assert long.around(np.array([3, 1])).tolist() == [0, 1, 2, 3]
    with pytest.raises(DatasetError, match="holds no frame 11"):
        long.frames(long.around(np.array([11])))


def test_nothing_asked_nothing_decoded(path):
    assert VideoReader(path).frames(np.array([], int), (4, 6)).shape == (0, 4, 6, 3)


def test_threads_share_a_reader(path):
    videos = OpenVideos()
    asked = np.random.default_rng(0).integers(0, COUNT, (40, 3))
    with ThreadPoolExecutor(4) as pool:
        shown = list(pool.map(lambda numbers: numbers_shown(videos[path].frames(numbers)), asked))
    assert shown == asked.tolist()


def test_only_so_many_videos_stay_open(tmp_path, path):
    other = film(tmp_path / "other.mp4", 2)
    videos = OpenVideos(capacity=1)
    first = videos[path]
    assert videos[path] is first
    assert videos[other].num_frames == 2
    assert videos[path] is not first
    assert numbers_shown(first.frames(np.array([1]))) == [1]  # still good in the hands of who holds it


def test_a_reader_is_lent_to_one_borrower_at_a_time(path):
    videos = OpenVideos()
    with videos.borrow(path) as first, videos.borrow(path) as second:
        assert first is not second
        assert numbers_shown(second.frames(np.array([1]))) == [1]
    with videos.borrow(path) as again:
        assert again in (first, second)


def test_a_number_beyond_the_end_is_an_error_and_the_reader_goes_on(path):
    reader = VideoReader(path)
    with pytest.raises(DatasetError, match=f"{path}: holds no frame 11 of 11"):
        reader.frames(np.array([2, 11]))
    assert numbers_shown(reader.frames(np.array([5]))) == [5]


@pytest.mark.parametrize("keep", [0, 40, 0.6, 0.95])
def test_a_truncated_file_is_named(tmp_path, path, keep):
    data = path.read_bytes()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: keep if keep > 1 else int(keep * len(data))])
    with pytest.raises(DatasetError, match=r"broken\.mp4: .*truncated or damaged.* Copy it again"):
        VideoReader(broken).frames(np.arange(COUNT))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.mp4: is missing"):
        VideoReader(tmp_path / "gone.mp4")


def test_a_sound_file_is_not_a_video(tmp_path):
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(DatasetError, match="holds no video stream"):
        VideoReader(sound)


def test_pictures_that_are_coded_after_the_key_picture_they_precede_are_found(tmp_path):
    # As LeRobot writes HEVC: x265 opens groups of pictures and reorders them.
    path = tmp_path / "open.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("hevc", rate=30, options={"g": "2", "x265-params": "log-level=none"})
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for number in range(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey(number))))
        container.mux(stream.encode(None))
    for number in range(COUNT):
        assert numbers_shown(VideoReader(path).frames(np.array([number]))) == [number]
    assert numbers_shown(VideoReader(path).frames(np.array([8, 1, 4]))) == [8, 1, 4]
