import numpy as np
import pytest

from etude.data.video import VideoReader, VideoWriter, encoders


def mapped(vcodec, **changes):
    return encoders.options(vcodec, **({"crf": 30, "g": 2, "preset": None, "pixels_per_s": 1e6} | changes))


@pytest.mark.parametrize(
    ("vcodec", "wanted"),
    [
        ("h264", {"g": "2", "crf": "30"}),
        ("libaom-av1", {"g": "2", "crf": "30", "row-mt": "1"}),
        ("h264_nvenc", {"g": "2", "rc": "0", "qp": "30"}),
        ("hevc_nvenc", {"g": "2", "rc": "0", "qp": "30"}),
        ("h264_vaapi", {"g": "2", "qp": "30"}),
        ("h264_qsv", {"g": "2", "global_quality": "30"}),
        ("h264_videotoolbox", {"g": "2", "q:v": "40"}),
        ("hevc_videotoolbox", {"g": "2", "q:v": "40"}),
    ],
)
def test_options_are_those_that_lerobot_maps(vcodec, wanted):
    assert mapped(vcodec) == wanted


def test_quality_of_videotoolbox_stays_between_1_and_100():
    assert mapped("h264_videotoolbox", crf=0)["q:v"] == "100"
    assert mapped("h264_videotoolbox", crf=51)["q:v"] == "1"


def test_a_preset_is_passed_where_the_encoder_has_presets():
    assert mapped("h264", preset="superfast")["preset"] == "superfast"
    assert mapped("h264_nvenc", preset="p1")["preset"] == "p1"
    assert "preset" not in mapped("h264_vaapi", preset="fast")
    assert mapped("libsvtav1")["preset"] == "12"
    assert encoders.preset_of("libsvtav1", None) == 12
    assert encoders.preset_of("h264", None) is None


def test_large_pictures_may_use_all_cores_and_long_groups_are_looked_into():
    short = mapped("libsvtav1")["svtav1-params"]
    assert short == "fast-decode=0:scm=0:lp=1:hierarchical-levels=2:lookahead=0:enable-tf=0:scd=0"
    assert mapped("libsvtav1", g=30, pixels_per_s=1920 * 1080 * 30)["svtav1-params"] == "fast-decode=0:scm=0"


@pytest.mark.parametrize(
    ("vcodec", "name"),
    [("libsvtav1", "av1"), ("libaom-av1", "av1"), ("h264", "h264"), ("hevc_nvenc", "hevc"), ("h264_vaapi", "h264")],
)
def test_a_stream_is_named_as_the_header_names_it(vcodec, name):
    assert encoders.stream_name(vcodec) == name


def test_auto_is_an_encoder_that_works_here(tmp_path):
    chosen = encoders.resolved("auto")
    assert encoders.works(chosen)
    assert not encoders.works("no_such_encoder")
    video = VideoWriter(tmp_path / "a.mp4", 30, vcodec="auto")
    for picture in np.random.default_rng(0).integers(0, 256, (3, 256, 256, 3), np.uint8):
        video.add(picture)
    video.close()
    assert VideoReader(tmp_path / "a.mp4").num_frames == 3
