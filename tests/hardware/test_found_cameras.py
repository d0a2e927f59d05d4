"""Cameras as Linux shows them: a tree of files as a computer with three cameras has it, and the kernel's structures."""

import errno
import struct

import pytest

from etude.core.errors import CameraError
from etude.hardware.cameras import identity, v4l2
from etude.hardware.cameras.found import found_cameras
from etude.hardware.names import remember_camera

SERIAL = "usb-046d_C920_A1B2-video-index0"
PORT = "platform-xhci-usb-0:2:1.0-video-index0"


def no_formats(_device):
    return ()


@pytest.fixture
def root(tmp_path):
    """One camera with a serial number, which has a second node for facts; one without; one that is not on USB."""
    _add(tmp_path, 0, "C920", usb="1-1", serial="A1B2")
    _add(tmp_path, 1, "C920", usb="1-1", serial="A1B2", index=1)
    _add(tmp_path, 2, "Cheap", usb="1-2")
    _add(tmp_path, 10, "bcm2835", usb="soc")
    _link(tmp_path, "by-id", SERIAL, 0)
    _link(tmp_path, "by-id", SERIAL.replace("index0", "index1"), 1)
    _link(tmp_path, "by-path", PORT.replace("2:1", "1:1"), 0)
    _link(tmp_path, "by-path", PORT, 2)
    return tmp_path


def _add(root, number, name, *, usb, serial="", index=0):
    device = root / "sys/devices" / usb
    (device / "interface").mkdir(parents=True, exist_ok=True)
    if serial:
        (device / "serial").write_text(f"{serial}\n")
    node = root / "sys/class/video4linux" / f"video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text(f"{index}\n")
    (node / "device").symlink_to(device / "interface")
    (root / "dev").mkdir(exist_ok=True)
    (root / "dev" / f"video{number}").touch()


def _link(root, kind, name, number):
    folder = root / "dev/v4l" / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(f"../../video{number}")


def test_every_camera_is_found_once_and_named_for_good(root):
    found = found_cameras(root, no_formats)
    assert [camera.path for camera in found] == ["/dev/video0", "/dev/video2", "/dev/video10"]
    assert [camera.name for camera in found] == ["C920", "Cheap", "bcm2835"]
    assert [camera.serial for camera in found] == ["A1B2", "", ""]
    assert [camera.index_or_path for camera in found] == [
        f"/dev/v4l/by-id/{SERIAL}",
        f"/dev/v4l/by-path/{PORT}",
        "/dev/video10",
    ]


def test_cameras_that_all_have_one_serial_number_are_known_by_their_sockets(root):
    _add(root, 11, "C920", usb="1-3", serial="A1B2")
    _link(root, "by-path", PORT.replace("2:1", "3:1"), 11)
    found = {camera.path: camera.lasting for camera in found_cameras(root, no_formats)}
    assert found["/dev/video0"] == f"/dev/v4l/by-path/{PORT.replace('2:1', '1:1')}"
    assert found["/dev/video11"] == f"/dev/v4l/by-path/{PORT.replace('2:1', '3:1')}"
    with pytest.raises(CameraError, match=r"2 cameras are called so. Give a path: /dev/v4l/by-path/"):
        identity.place_of("A1B2", root)


def test_no_cameras(tmp_path):
    assert found_cameras(tmp_path, no_formats) == []


class TestIdentity:
    @pytest.fixture(autouse=True)
    def _no_names(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    @pytest.mark.parametrize(
        ("given", "place"),
        [
            (3, 3),
            ("3", 3),
            ("http://127.0.0.1/x.mjpg", "http://127.0.0.1/x.mjpg"),
            ("/dev/video7", "/dev/video7"),
            ("A1B2", "/dev/video0"),
            ("Cheap", "/dev/video2"),
        ],
    )
    def test_what_can_be_opened_now(self, root, given, place):
        assert identity.place_of(given, root) == place

    @pytest.mark.parametrize(
        ("given", "lasting"),
        [
            (0, f"/dev/v4l/by-id/{SERIAL}"),
            ("2", f"/dev/v4l/by-path/{PORT}"),
            ("/dev/video0", f"/dev/v4l/by-id/{SERIAL}"),
            (10, 10),
            (99, 99),
            ("A1B2", "A1B2"),
            ("http://127.0.0.1/x.mjpg", "http://127.0.0.1/x.mjpg"),
        ],
    )
    def test_what_means_the_same_camera_after_a_replug(self, root, given, lasting):
        assert identity.lasting(given, root) == lasting

    def test_a_name_that_it_was_given(self, root):
        remember_camera("top", f"/dev/v4l/by-path/{PORT}")
        remember_camera("cheap", "Cheap")
        assert identity.lasting("top", root) == identity.place_of("top", root) == f"/dev/v4l/by-path/{PORT}"
        assert identity.place_of("cheap", root) == "/dev/video2"

    def test_after_a_replug_the_serial_number_finds_the_new_place(self, root):
        (root / "dev/v4l/by-id" / SERIAL).unlink()
        (root / "sys/class/video4linux/video0/device").unlink()
        (root / "sys/class/video4linux/video0/index").write_text("1")
        _add(root, 4, "C920", usb="1-1", serial="A1B2")
        assert identity.place_of("A1B2", root) == "/dev/video4"

    def test_a_word_that_means_no_camera(self, root):
        with pytest.raises(CameraError, match=r"Camera 'C3PO': no camera has that name or serial number\. .* A1B2"):
            identity.place_of("C3PO", root)

    def test_what_is_recorded_waits_for_its_reader(self, tmp_path):
        assert identity.is_recorded("film.avi")
        assert identity.is_recorded(str(tmp_path / "%03d.png"))
        assert not any(identity.is_recorded(live) for live in (0, "0", "A1B2", "/dev/video0", "rtsp://host/x.mp4"))


class Kernel:
    """Answers as the driver of a camera with MJPG in two sizes, and YUYV in a range of sizes."""

    FORMATS = (b"MJPG", b"YUYV")
    SIZES = ((640, 480), (1280, 720))

    def __call__(self, request, data):
        index = struct.unpack_from("<I", data)[0]
        if request == 0xC0405602:  # VIDIOC_ENUM_FMT
            assert struct.unpack_from("<I", data, 4)[0] == 1, "V4L2_BUF_TYPE_VIDEO_CAPTURE"
            if index >= len(self.FORMATS):
                raise OSError(errno.EINVAL, "no more")
            data[44:48] = self.FORMATS[index]
        else:
            assert request == 0xC02C564A, "VIDIOC_ENUM_FRAMESIZES"
            self._size(index, bytes(data[4:8]), data)

    def _size(self, index, code, data):
        if code == b"YUYV" and index == 0:
            struct.pack_into("<I6I", data, 8, 3, 160, 1920, 16, 120, 1080, 8)  # V4L2_FRMSIZE_TYPE_STEPWISE
        elif code == b"MJPG" and index < 2:
            struct.pack_into("<I2I", data, 8, 1, *self.SIZES[index])  # V4L2_FRMSIZE_TYPE_DISCRETE
        else:
            raise OSError(errno.EINVAL, "no more")


def test_formats_and_sizes_are_those_of_the_kernel():
    assert v4l2.told(Kernel()) == (
        v4l2.Format(fourcc="MJPG", sizes=((640, 480), (1280, 720))),
        v4l2.Format(fourcc="YUYV", sizes=((160, 120), (1920, 1080))),
    )


def test_what_is_no_camera_has_no_formats(tmp_path):
    (tmp_path / "video0").touch()
    assert v4l2.formats(tmp_path / "video0") == ()
    assert v4l2.formats(tmp_path / "video1") == ()
