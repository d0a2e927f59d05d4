import pytest

from etude.hardware.cameras import found
from etude.hardware.names import remembered_camera


@pytest.fixture(autouse=True)
def _own_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def film(tmp_path):
    """A film of a few frames, which OpenCV opens like a camera."""
    import cv2
    import numpy as np

    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    for level in range(10):
        writer.write(np.full((480, 640, 3), 8 * level, np.uint8))
    writer.release()
    return path


def test_each_camera_takes_a_picture(etude, film, tmp_path, monkeypatch):
    camera = found.FoundCamera(index=3, path=film, name="Front Cam", lasting=film)
    monkeypatch.setattr(found, "found_cameras", lambda: [camera])
    code, out, _ = etude("find-cameras", f"--folder={tmp_path / 'pictures'}")
    assert code == 0, out
    assert f"index_or_path: {film}  Front Cam (now {film})" in out
    assert (tmp_path / "pictures" / "camera_3.png").stat().st_size > 0


def test_a_camera_can_be_named(etude, film, tmp_path):
    code, out, err = etude("find-cameras", f"--look_at={film}", "--name=front", f"--folder={tmp_path}")
    assert code == 0, out
    assert "It is called front from now on" in err
    assert remembered_camera("front") == film


def test_without_cameras_it_says_so(etude, monkeypatch):
    monkeypatch.setattr(found, "found_cameras", list)
    code, _, err = etude("find-cameras")
    assert code == 1
    assert "No camera is plugged in" in err


def test_a_camera_without_pictures_is_told_and_not_named(etude, tmp_path):
    code, out, _ = etude("find-cameras", f"--look_at={tmp_path / 'none.avi'}", "--name=front", f"--folder={tmp_path}")
    assert code == 1
    assert "no picture:" in out
    assert remembered_camera("front") is None


def test_a_name_needs_a_camera(etude):
    code, _, err = etude("find-cameras", "--name=front")
    assert code == 2
    assert "--look_at" in err
