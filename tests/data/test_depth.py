import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.spec import Spec
from etude.data import create_dataset, open_dataset
from etude.data.check import check
from etude.data.depth import DepthCoding, count_depths, depth_stats
from etude.data.draft import drafts
from etude.data.formats.lerobot_v3.config import Config

DEPTH = "observation.images.front_depth"
LOG, LINEAR = DepthCoding(), DepthCoding(use_log=False)


def test_codes_are_those_of_lerobots_formula():
    # u = (ln(d + 3.5) - ln(3.51)) / (ln(13.5) - ln(3.51)); code = rint(4095 u)
    assert LOG.quantised(np.array([0, 10, 1000, 5000, 10_000, 65_535], np.uint16)).tolist() == [
        0,
        0,
        round(4095 * np.log(4.5 / 3.51) / np.log(13.5 / 3.51)),
        round(4095 * np.log(8.5 / 3.51) / np.log(13.5 / 3.51)),
        4095,
        4095,
    ]
    assert LINEAR.quantised(np.array([10, 5005, 10_000], np.uint16)).tolist() == [0, 2048, 4095]


@given(depth=st.integers(10, 10_000), coding=st.sampled_from([LOG, LINEAR, DepthCoding(min_m=0.2, max_m=10)]))
def test_what_comes_back_is_within_half_a_step(depth, coding):
    depth = max(depth, round(1000 * coding.min_m))
    code = int(coding.quantised(np.array([depth], np.uint16))[0])
    around = coding.dequantised(np.array([max(code - 1, 0), code, min(code + 1, 4095)], np.uint16)).astype(int)
    step = max(np.diff(around).max(), 1)
    assert abs(around[1] - depth) <= step / 2 + 1


def test_every_code_is_its_own():
    for coding in (LOG, LINEAR):
        codes = np.arange(4096).astype(np.uint16)
        back = coding.quantised(coding.dequantised(codes)).astype(int)
        assert np.abs(back - codes).max() <= 1  # near distances have several codes per millimetre
        assert coding.dequantised(np.array([9999], np.uint16)).tolist() == [10_000]


def test_info_tells_the_coding():
    coding = DepthCoding(min_m=0.1, max_m=4.0, shift_m=1.0, use_log=False)
    info = coding.to_info()
    assert info == {"video.depth_min": 0.1, "video.depth_max": 4.0, "video.shift": 1.0, "video.use_log": False}
    assert DepthCoding.from_info(info) == coding
    assert DepthCoding.from_info({}) == LOG


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=60))
def test_statistics_are_those_of_the_values(values):
    depths = np.array(values, np.uint16)
    stats = depth_stats(count_depths(depths), 3)
    wanted = {"mean": depths.mean(), "std": depths.std(), "min": depths.min(), "max": depths.max()}
    for name, value in wanted.items():
        np.testing.assert_allclose(getattr(stats, name), np.full((1, 1, 1), value), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(stats.quantiles["q90"].item(), np.quantile(depths.astype(float), 0.9))
    assert stats.count == 3


def scene(tick):
    """A slope that moves, with a hole in it where nothing was measured."""
    ramp = np.linspace(300, 6000, 64)[None] + 40 * np.arange(48)[:, None] + 25 * tick
    ramp[10:14, 20:30] = 0
    return ramp.astype(np.uint16)[..., None]


@pytest.fixture
def recorded_depth(tmp_path, specs, make_frame):
    specs[DEPTH] = Spec(shape=(48, 64, 1), dtype="uint16", unit="mm")
    writer = create_dataset(tmp_path / "d", specs, fps=10, config=Config.tiny())
    for episode, length in enumerate((5, 3)):
        for tick in range(length):
            writer.add_frame(make_frame(episode, tick) | {DEPTH: scene(10 * episode + tick)})
        writer.save_episode("Reach")
    writer.close()
    return tmp_path / "d"


def test_a_depth_camera_is_recorded_and_read_back(recorded_depth):
    dataset = open_dataset(recorded_depth)
    assert dataset.specs[DEPTH] == Spec(shape=(48, 64, 1), dtype="uint16", unit="mm")
    assert dataset.codecs[DEPTH] == "hevc"
    rows = np.array([6, 0, 4, 4])
    shown = dataset.images(DEPTH, rows)
    assert (shown.shape, shown.dtype) == ((4, 48, 64, 1), np.uint16)
    wanted = np.stack([LOG.dequantised(LOG.quantised(scene(tick))) for tick in (11, 0, 4, 4)])
    np.testing.assert_array_equal(shown, wanted)  # coded without loss: the codes' steps are all that is lost
    assert check(recorded_depth) == []


def test_a_draft_with_a_depth_camera_can_be_kept(recorded_depth, specs, make_frame):
    specs[DEPTH] = Spec(shape=(48, 64, 1), dtype="uint16", unit="mm")
    writer = create_dataset(recorded_depth, specs, fps=10, config=Config.tiny(), resume=True)
    for tick in range(3):
        writer.add_frame(make_frame(2, tick) | {DEPTH: scene(10 + tick)})
    writer.leave_episode()
    [draft] = drafts(recorded_depth)
    writer.keep_draft(draft, "Reach")
    writer.close()
    again, before = (open_dataset(recorded_depth).images(DEPTH, np.array(rows)) for rows in ([8, 9, 10], [5, 6, 7]))
    np.testing.assert_array_equal(again, before)
    assert check(recorded_depth) == []


def test_a_smaller_depth_picture_holds_distances_that_were_measured(recorded_depth):
    dataset = open_dataset(recorded_depth)
    small = dataset.images(DEPTH, np.array([2]), (24, 32))
    assert small.shape == (1, 24, 32, 1)
    assert np.isin(small, dataset.images(DEPTH, np.array([2]))).all()


def test_the_header_says_what_lerobot_says(recorded_depth):
    feature = open_dataset(recorded_depth).header.features[DEPTH]
    assert (feature["dtype"], feature["shape"]) == ("video", [48, 64, 1])
    wanted = {
        "is_depth_map": True,
        "depth_unit": "mm",
        "video.codec": "hevc",
        "video.pix_fmt": "gray12le",
        "video.channels": 1,
        "video.depth_min": 0.01,
        "video.depth_max": 10.0,
        "video.shift": 3.5,
        "video.use_log": True,
        "video.g": 2,
    }
    assert {key: feature["info"][key] for key in wanted} == wanted
    assert feature["info"]["video.extra_options"]["x265-params"].startswith("lossless=1")


def test_statistics_of_depth_are_in_millimetres(recorded_depth):
    stats = open_dataset(recorded_depth).stats[DEPTH]
    pixels = np.stack([scene(tick) for tick in (0, 1, 2, 3, 4, 10, 11, 12)]).astype(float)
    assert stats.mean.shape == (1, 1, 1)
    assert (stats.min.item(), stats.max.item()) == (0, pixels.max())
    np.testing.assert_allclose(stats.mean.item(), pixels.mean())
    np.testing.assert_allclose(stats.std.item(), pixels.std())


def test_recording_goes_on_where_a_depth_camera_is(recorded_depth, specs, make_frame):
    specs[DEPTH] = Spec(shape=(48, 64, 1), dtype="uint16", unit="mm")
    writer = create_dataset(recorded_depth, specs, fps=10, resume=True, config=Config.tiny())
    writer.add_frame(make_frame(2, 0) | {DEPTH: scene(30)})
    writer.save_episode("Reach")
    writer.close()
    dataset = open_dataset(recorded_depth)
    assert dataset.images(DEPTH, np.array([8]))[0, 0, 0, 0] == LOG.dequantised(LOG.quantised(scene(30)))[0, 0, 0]
