"""Pieces of videos are joined by copying: what was not cut comes back bit by bit."""

import itertools
import os
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etude.core.errors import DatasetError
from etude.data.video import VideoReader
from etude.data.video import splice as spliced
from etude.data.video.packets import Film
from etude.data.video.priority import unhurried
from etude.data.video.recode import Encoding
from etude.data.video.splice import Piece, coding, cut, num_bytes, splice

FPS = 30
QUIET = {"x265-params": "log-level=0"}
CLOSED = {"x265-params": "log-level=0:open-gop=0"}
CODINGS = {
    "av1 g=2": Encoding(vcodec="libsvtav1", options={"g": "2", "crf": "30", "preset": "12"}),
    "av1 g=10": Encoding(vcodec="libsvtav1", options={"g": "10", "crf": "30", "preset": "12"}),
    "h264 g=2": Encoding(vcodec="h264", options={"g": "2", "crf": "23"}),
    "h264 with B-frames": Encoding(vcodec="h264", options={"g": "8", "crf": "23", "sc_threshold": "0"}),
    "h264 without B-frames": Encoding(vcodec="h264", options={"g": "8", "crf": "23", "bf": "0", "sc_threshold": "0"}),
    "h264 open groups": Encoding(vcodec="h264", options={"g": "8", "crf": "23", "x264-params": "open-gop=1"}),
    "hevc closed groups": Encoding(vcodec="hevc", options={"g": "8", "crf": "23"} | CLOSED),
    "hevc open groups": Encoding(vcodec="hevc", options={"g": "8", "crf": "23"} | QUIET),
}


def film(path, length, encoding, seed=0, size=64):
    """A pattern that moves, with noise, so that every picture is one of its own."""
    os.environ.setdefault("SVT_LOG", "1")
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 120, (size, size, 3))
    with unhurried(), av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(encoding.vcodec, rate=FPS, options=dict(encoding.options))
        stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
        for tick in range(length):
            picture = np.roll(base, 2 * tick, 1) + rng.integers(0, 20, base.shape) + 3 * (tick % 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def decoded(path):
    """All pictures, as a decoder that reads from front to back shows them, and their times."""
    with av.open(str(path)) as container:
        frames = [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return [time for time, _ in frames], np.stack([picture for _, picture in frames])


@pytest.fixture(scope="module", params=CODINGS)
def films(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    encoding = CODINGS[request.param]
    paths = [film(folder / f"{seed}.mp4", length, encoding, seed) for seed, length in enumerate([27, 11])]
    return folder, encoding, {path: decoded(path)[1] for path in paths}


def pieces_of(films):
    def one(source):
        path, pictures = source
        bounds = st.lists(st.integers(0, len(pictures)), min_size=2, max_size=2, unique=True).map(sorted)
        return bounds.map(lambda pair: Piece(path=path, start=pair[0], length=pair[1] - pair[0]))

    return st.lists(st.sampled_from(list(films.items())).flatmap(one), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_pieces_come_back_in_order_at_exact_times_and_what_is_copied_bit_by_bit(films, data):
    folder, encoding, sources = films
    pieces = data.draw(pieces_of(sources))
    splice(pieces, folder / "out.mp4", FPS, encoding)
    times, found = decoded(folder / "out.mp4")
    wanted = np.concatenate([sources[piece.path][piece.start : piece.stop] for piece in pieces])
    assert times == [Fraction(number, FPS) for number in range(len(wanted))]
    same = np.array([np.array_equal(one, other) for one, other in zip(found, wanted, strict=True)])
    copied = np.concatenate([copied_frames(piece) for piece in pieces])
    assert same[copied].all()
    # What is encoded again looks the same: nearer to its own picture than to any other one.
    distance = np.abs(found[:, None].astype(np.int16) - wanted[None]).mean((2, 3, 4))
    assert np.array_equal(distance.diagonal(), distance.min(1))
    assert distance.diagonal().max() < 12


def copied_frames(piece):
    """Tell by brute force what of a piece need not be decoded: whole groups, and a group's undisturbed start."""
    film = Film(piece.path)
    bounds = [*film.starts.tolist(), film.num_frames]
    numbers = np.arange(piece.start, piece.stop)
    copied = np.zeros(len(numbers), bool)
    for first, last in itertools.pairwise(bounds):
        in_order = set(film.numbers[first : min(last, piece.stop)].tolist()) == set(range(first, min(last, piece.stop)))
        if first >= piece.start and (last <= piece.stop or in_order):
            copied |= (numbers >= first) & (numbers < min(last, piece.stop))
    return copied


def test_whole_files_and_cuts_at_key_frames_are_copied_without_encoding(tmp_path, monkeypatch):
    encoding = CODINGS["av1 g=2"]
    one, other = (film(tmp_path / f"{seed}.mp4", 8, encoding, seed) for seed in range(2))
    monkeypatch.setattr(spliced, "recode", None)
    splice([Piece(path=one, start=2, length=5), Piece(path=other, start=0, length=8)], tmp_path / "out.mp4", FPS)
    assert VideoReader(tmp_path / "out.mp4").num_frames == 13


def test_only_the_group_that_is_cut_is_encoded_again(tmp_path, monkeypatch):
    encoding = CODINGS["h264 without B-frames"]
    path = film(tmp_path / "in.mp4", 30, encoding)
    encoded = []
    real = spliced.recode
    monkeypatch.setattr(spliced, "recode", lambda film, *bounds: (encoded.append(bounds[:2]), real(film, *bounds)))
    splice([Piece(path=path, start=3, length=22)], tmp_path / "out.mp4", FPS, encoding)
    assert encoded == [(3, 8)]


def test_a_piece_of_another_encoder_is_encoded_again_whole(tmp_path):
    path = film(tmp_path / "in.mp4", 20, CODINGS["h264 with B-frames"])
    other = Encoding(vcodec="h264", options={"g": "8", "crf": "23", "profile": "baseline"})
    (tmp_path / "work").mkdir()
    [part] = cut(Piece(path=path, start=3, length=10), other, tmp_path / "work")
    assert (part.start, part.length, part.path.parent) == (0, 10, tmp_path / "work")
    assert coding(part.path) != coding(path)
    with pytest.raises(DatasetError, match="cannot share a file"):
        splice([part, Piece(path=path, start=0, length=20)], tmp_path / "out.mp4", FPS)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("change", [{"size": 96}, {"encoding": CODINGS["h264 g=2"]}])
def test_what_cannot_be_joined_is_told_apart(tmp_path, change):
    options = {"length": 4, "encoding": CODINGS["av1 g=2"]}
    one, other = film(tmp_path / "1.mp4", **options), film(tmp_path / "2.mp4", **(options | change))
    assert coding(one) != coding(other)
    assert coding(one) == coding(film(tmp_path / "3.mp4", **options, seed=5))


def test_the_start_of_a_file_lies_before_its_pictures(tmp_path):
    path = film(tmp_path / "in.mp4", 4, CODINGS["av1 g=2"])
    splice([Piece(path=path, start=0, length=4)], tmp_path / "out.mp4", FPS)
    stored = (tmp_path / "out.mp4").read_bytes()
    assert 0 < stored.index(b"moov") < stored.index(b"mdat")
    assert num_bytes(Piece(path=path, start=0, length=4)) < len(stored)


def test_pictures_that_are_not_there_and_damaged_files_are_named(tmp_path):
    path = film(tmp_path / "in.mp4", 4, CODINGS["av1 g=2"])
    with pytest.raises(DatasetError, match=r"in\.mp4: holds no frame 4"):
        splice([Piece(path=path, start=2, length=3)], tmp_path / "out.mp4", FPS)
    with pytest.raises(DatasetError, match=r"gone\.mp4: is missing"):
        splice([Piece(path=tmp_path / "gone.mp4", start=0, length=3)], tmp_path / "out.mp4", FPS)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DatasetError, match=r"in\.mp4: holds no frame 2"):
        splice([Piece(path=path, start=0, length=4)], tmp_path / "out.mp4", FPS)
    path.write_bytes(b"no video")
    with pytest.raises(DatasetError, match=r"in\.mp4: cannot be read as video"):
        splice([Piece(path=path, start=0, length=4)], tmp_path / "out.mp4", FPS)


def test_lossless_depth_stays_lossless_when_it_is_cut(tmp_path):
    info = {"video.codec": "hevc", "video.g": 4, "video.extra_options": {"x265-params": "lossless=1:log-level=0"}}
    ramp = np.add.outer(np.arange(64), np.arange(64))
    depth = np.stack([(20 * ramp + 100 * tick) % 4096 for tick in range(9)]).astype(np.uint16)
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        stream = container.add_stream("hevc", rate=FPS, options=dict(Encoding.of(info).options))
        stream.width, stream.height, stream.pix_fmt = 64, 64, "gray12le"
        for picture in depth:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray12le")))
        container.mux(stream.encode(None))
    splice([Piece(path=tmp_path / "in.mp4", start=3, length=4)], tmp_path / "out.mp4", FPS, Encoding.of(info))
    with av.open(str(tmp_path / "out.mp4")) as container:
        found = [frame.to_ndarray() for frame in container.decode(video=0)]
    assert np.array_equal(found, depth[3:7])


def test_what_a_dataset_says_of_its_videos_is_how_they_are_encoded_again():
    options = Encoding.of({"video.crf": 20}).options
    assert (options["g"], options["crf"], options["preset"]) == ("2", "20", "12")
    info = {"video.codec": "h264", "video.g": 5, "video.crf": 20, "video.preset": None}
    info["video.extra_options"] = {"bf": 0}
    assert Encoding.of(info) == Encoding(vcodec="h264", options={"g": "5", "crf": "20", "bf": "0"})
