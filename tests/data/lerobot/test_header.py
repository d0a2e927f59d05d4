import json

import pytest

from etude.core.errors import DatasetError
from etude.core.spec import Spec
from etude.data.lerobot import header as headers
from etude.data.lerobot.header import is_depth, spec_of, version_of


@pytest.mark.parametrize(
    "names", [["a", "b"], {"motors": ["a", "b"]}, [["a", "b"]], {"left": ["a"], "right": ["b"]}]
)  # fmt: skip
def test_nested_names_are_concatenated(names):
    assert spec_of({"dtype": "float32", "shape": [2], "names": names}) == Spec(shape=(2,), names=("a", "b"))


def test_names_may_be_absent():
    assert spec_of({"dtype": "int64", "shape": [1], "names": None}) == Spec(shape=(1,), dtype="int64")


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ([48, 64, 3], ["height", "width", "channels"]),
        ([48, 64, 3], ["height", "width", "channel"]),
        ([48, 64, 3], None),
        ([3, 48, 64], ["channels", "height", "width"]),
    ],
)
def test_pictures_are_channel_last(shape, names):
    for dtype in ("video", "image"):
        assert spec_of({"dtype": dtype, "shape": shape, "names": names}) == Spec(shape=(48, 64, 3), dtype="uint8")


@pytest.mark.parametrize(
    ("feature", "wanted"),
    [
        ({"info": {"is_depth_map": True}}, True),
        ({"info": {"is_depth_map": False, "video.is_depth_map": True}}, False),
        ({"info": {"video.is_depth_map": True}}, True),
        ({"video_info": {"video.is_depth_map": True}}, True),
        ({"info": None}, False),
        ({}, False),
    ],
)
def test_the_depth_flag_has_had_three_places(feature, wanted):
    assert is_depth(feature) is wanted


def test_text_and_depth_have_no_spec(golden):
    header = headers.read(golden / "lerobot_v3")
    more = {
        "note": {"dtype": "string", "shape": [1], "names": None},
        "language_events": {"dtype": "language", "shape": [1], "names": None},
        "observation.images.front_depth": {"dtype": "video", "shape": [4, 4, 1], "info": {"is_depth_map": True}},
    }
    changed = headers.Header(
        **{**vars(header), "features": {**more, **header.features}},
    )
    assert changed.specs() == header.specs()
    assert changed.cameras("video") == header.cameras("video")
    assert changed.columns() == header.columns()


@pytest.mark.parametrize("key", ["fps", "features", "total_frames", "data_path"])
def test_a_missing_key_is_named(golden, tmp_path, key):
    stored = json.loads((golden / "lerobot_v3/meta/info.json").read_text())
    del stored[key]
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text(json.dumps(stored))
    with pytest.raises(DatasetError, match=f"lacks '{key}', which every LeRobot dataset has"):
        headers.read(tmp_path)


@pytest.mark.parametrize("where", ["data_path", "video_path", "camera"])
@pytest.mark.parametrize("name", ["/etc/passwd", "../{video_key}.mp4", "a\\b", "C:/a"])
def test_files_outside_the_dataset_are_refused(golden, tmp_path, where, name):
    stored = json.loads((golden / "lerobot_v3/meta/info.json").read_text())
    video = next(feature for feature in stored["features"].values() if feature["dtype"] == "video")
    if where == "camera":
        stored["features"][name] = video
    else:
        stored[where] = name
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/info.json").write_text(json.dumps(stored))
    with pytest.raises(DatasetError, match="names files outside the dataset"):
        headers.read(tmp_path)


def test_the_version_tells_formats_apart(golden, tmp_path):
    assert version_of(golden / "lerobot_v3") == "v3.0"
    assert version_of(golden / "lerobot_v21") == "v2.1"
    assert version_of(tmp_path) is None
