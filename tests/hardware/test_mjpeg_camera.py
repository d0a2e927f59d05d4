import io
import socket
import threading

import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras
from etude.hardware.cameras.mjpeg.stream import read_picture

Config = cameras.config("mjpeg")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--frame\r\n\r\n"


def jpeg(level, size=(12, 16)):
    _, data = cv2.imencode(".jpg", np.full((*size, 3), level, np.uint8))
    return data.tobytes()


def part(data, *, with_length=True):
    length = f"Content-Length: {len(data)}\r\n".encode() if with_length else b""
    return b"--frame\r\nContent-Type: image/jpeg\r\n" + length + b"\r\n" + data + b"\r\n"


class Server:
    """Answers one connection with what the test says, and keeps it open."""

    def __init__(self, *answers):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.request, self._answers, self._connection = b"", answers, None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            self._connection, _ = self._listener.accept()
        except OSError:
            return  # nobody came
        self.request = self._connection.recv(4096)
        for answer in self._answers:
            self._connection.sendall(answer)

    def send(self, data):
        self._thread.join(5)
        self._connection.sendall(data)

    def hang_up(self):
        self._thread.join(5)
        self._connection.close()

    def close(self):
        self._listener.close()
        self._thread.join(5)
        if self._connection:
            self._connection.close()


@pytest.fixture
def serve():
    servers = []

    def start(*answers, **values):
        servers.append(Server(*answers))
        url = f"http://127.0.0.1:{servers[-1].port}/cam?q=1"
        return servers[-1], cameras.build(Config(url=url, width=16, height=12, **{"timeout_s": 5.0} | values))

    yield start
    for server in servers:
        server.close()


def eventually(camera, level):
    """Read until a picture of that brightness comes."""
    for _ in range(1000):
        if abs(camera.read().mean() - level) < 4:
            return True
        threading.Event().wait(0.002)
    return False


def test_the_newest_picture_is_given(serve):
    server, camera = serve(OK, part(jpeg(50)))
    camera.connect()
    server.send(part(jpeg(100)) + part(jpeg(150)) + part(jpeg(200)))
    assert eventually(camera, 200)
    assert server.request.startswith(b"GET /cam?q=1 HTTP/1.1\r\n")
    camera.disconnect()


def test_colours_are_rgb(serve):
    red = np.zeros((12, 16, 3), np.uint8)
    red[..., 2] = 255
    _, data = cv2.imencode(".jpg", red)
    _, camera = serve(OK, part(data.tobytes()) * 2)
    camera.connect()
    assert camera.read()[5, 5].argmax() == 0
    camera.disconnect()


def test_disconnecting_does_not_wait_for_a_picture(serve):
    _, camera = serve(OK, part(jpeg(50)), timeout_s=60.0)
    camera.connect()
    thread = camera._thread
    camera.disconnect()
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
            "answered 404 with text/html",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n", "answered 200 with image/jpeg"),
        (b"220 FTP ready\r\n\r\n", "the stream cannot be opened"),
        (OK + part(jpeg(1, size=(24, 32))), "it gives pictures of 32 x 24, not 16 x 12"),
        (OK + part(b"no picture at all"), "no JPEG picture"),
    ],
)
def test_what_is_no_stream_of_pictures_is_refused(serve, answer, problem):
    _, camera = serve(answer)
    with pytest.raises(CameraError, match=problem):
        camera.connect()
    with pytest.raises(CameraError, match="not connected"):
        camera.read()


def test_a_server_that_says_nothing_is_given_up(serve):
    _, camera = serve(OK, timeout_s=0.05)
    with pytest.raises(CameraError, match="timed out"):
        camera.connect()


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CameraError, match="the stream cannot be opened"):
        cameras.build(Config(url=f"http://127.0.0.1:{port}/")).connect()


def test_a_server_that_hangs_up_is_told_after_a_while(serve):
    server, camera = serve(OK, part(jpeg(50)), grace_s=0.05)
    camera.connect()
    server.hang_up()
    with pytest.raises(CameraError, match=r"no new picture for .* s: (the stream|it) "):
        for _ in range(1000):
            camera.read()
            threading.Event().wait(0.002)
    assert camera.health().problem
    camera.disconnect()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1/x", "http://"])
def test_other_addresses_are_refused(url):
    with pytest.raises(ConfigError, match="url should begin with http"):
        Config(url=url)


class TestParts:
    @pytest.mark.parametrize("with_length", [True, False])
    def test_pictures_follow_each_other(self, with_length):
        pictures = [jpeg(level) for level in (10, 90, 200)]
        stream = io.BytesIO(b"preamble\r\n" + b"".join(part(data, with_length=with_length) for data in pictures))
        assert [read_picture(stream, b"frame") for _ in range(4)] == [*pictures, None]

    @pytest.mark.parametrize("with_length", [True, False])
    def test_a_torn_picture_is_none(self, with_length):
        whole = part(jpeg(10), with_length=with_length)
        assert read_picture(io.BytesIO(whole[:-20]), b"frame") is None

    def test_a_huge_length_is_not_believed(self):
        assert read_picture(io.BytesIO(b"--frame\r\nContent-Length: 99999999999\r\n\r\nx"), b"frame") is None
