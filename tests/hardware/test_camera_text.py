from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etude.core.errors import ConfigError, NotFound, UserError
from etude.hardware import cameras
from etude.hardware.cameras import parse_cameras

OpenCV, Mjpeg, Fake = (cameras.config(name) for name in ("opencv", "mjpeg", "fake"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", {}),
        (
            "{front: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}",
            {"front": OpenCV(index_or_path=0, width=640, height=480, fps=30)},
        ),
        (
            "{ wrist: {type: mjpeg, url: 'http://127.0.0.1:8001/wrist.mjpg', timeout_s: 1}, top: {type: fake}, }",
            {"wrist": Mjpeg(url="http://127.0.0.1:8001/wrist.mjpg", timeout_s=1.0), "top": Fake()},
        ),
        ("{a: {type: mjpeg, url: http://host:80/x?y=1}}", {"a": Mjpeg(url="http://host:80/x?y=1")}),
        (
            '{"front": {"type": "opencv", "index_or_path": "/dev/video2"}}',
            {"front": OpenCV(index_or_path="/dev/video2")},
        ),
        ("{a: {type: opencv, index_or_path: /dev/video2}}", {"a": OpenCV(index_or_path="/dev/video2")}),
        ("{a: {type: opencv, index_or_path: '2'}}", {"a": OpenCV(index_or_path="2")}),
        ("{a:{type:fake,width:8}}", {"a": Fake(width=8)}),
    ],
)
def test_what_is_meant_is_read(text, expected):
    assert parse_cameras(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"expected '\{' here: >>>"),
        ("front", r"expected '\{' here: >>>front"),
        ("{front: {type: fake}", r"expected ',' or '\}' here: \{front: \{type: fake\}>>>\."),
        ("{front: {type: fake}} x", "expected the end here: .*>>> x"),
        ("{front {type: fake}}", "expected a name and ':' here: {>>>front"),
        ("{front: {type: fake width: 3}}", "No camera named 'fake width: 3'"),
        ("{front: {width: 3}}", r"Camera 'front' needs a type, as in .* Known: fake, intelrealsense, mjpeg, opencv"),
        ("{front: fake}", "Camera 'front' needs a type"),
        ("{a: {type: fake}, a: {type: fake}}", "'a' is given twice"),
        ("{a: {type: opencv, widht: 3}}", "Camera 'a' has no key 'widht'. Did you mean 'width'"),
        ("{a: {type: opencv, width: wide}}", "Camera 'a'.width should be int, got 'wide'"),
    ],
)
def test_what_is_not_understood_is_told(text, problem):
    with pytest.raises(UserError, match=problem):
        parse_cameras(text)


def test_a_wrong_type_is_answered_with_the_nearest():
    with pytest.raises(NotFound, match="Did you mean 'opencv'"):
        parse_cameras("{front: {type: opencw}}")


@given(st.text(alphabet="{}:,'\" ab1", max_size=30))
def test_any_words_are_read_or_refused(text):
    with suppress(UserError):
        assert isinstance(parse_cameras(text), dict)


def test_code_is_only_text():
    with pytest.raises(ConfigError):
        parse_cameras("__import__('os').system('true')")
