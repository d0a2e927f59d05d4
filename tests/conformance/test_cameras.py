"""What every camera promises; a new folder under cameras/ gets these tests without naming itself."""

import base64
import json
import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from etude.core import codec
from etude.core.errors import CameraError, DeviceError, MissingExtra
from etude.hardware import cameras
from etude.hardware.cameras import place
from etude.hardware.cameras.ring import RingWriter
from etude.hardware.cameras.source import COLOUR, colour_spec
from etude.hardware.device import Camera, connected

NAMES = cameras.names()


def picture(config):
    return np.full((config.height, config.width, 3), 90, np.uint8)


class Stream(BaseHTTPRequestHandler):
    """The same picture for ever."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        with suppress(OSError):  # the camera hung up
            while not self.server.is_over.wait(0.005):
                head = f"--next\r\nContent-Length: {len(self.server.jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + self.server.jpeg + b"\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def stream():
    """Serve a config's picture; gives where."""
    servers = []

    def serve(config):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
        server.jpeg, server.is_over = cv2.imencode(".jpg", picture(config))[1].tobytes(), threading.Event()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.is_over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def shared():
    """Share a picture of a camera as another process would."""
    is_over, threads = threading.Event(), []

    def share(config):
        pictures = {COLOUR: np.full((12, 16, 3), 90, np.uint8)}
        ring = RingWriter(place.ring_path(config.owner, config.camera), {COLOUR: colour_spec(16, 12)})
        ring.write(pictures, time.perf_counter())

        def run():
            while not is_over.wait(0.002):
                ring.write(pictures, time.perf_counter())
            ring.close()

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return config

    yield share
    is_over.set()
    for thread in threads:
        thread.join(5)
    place.sweep()


@pytest.fixture
def publish():
    """Publish a config's picture over ZeroMQ; gives the port."""
    is_over, threads = threading.Event(), []

    def serve(config):
        zmq = pytest.importorskip("zmq")
        socket = zmq.Context.instance().socket(zmq.PUB)
        socket.setsockopt(zmq.LINGER, 0)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        jpeg = base64.b64encode(cv2.imencode(".jpg", picture(config))[1]).decode()

        def run():
            while not is_over.wait(0.002):
                socket.send_string(json.dumps({"timestamps": {"one": time.time()}, "images": {"one": jpeg}}))
            socket.close()

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return port

    yield serve
    is_over.set()
    for thread in threads:
        thread.join(5)


@pytest.fixture
def software_realsense(monkeypatch):
    """Let the SDK's software device stand in for a camera on USB."""

    def plug_in(config):
        pytest.importorskip("pyrealsense2")
        from etude.hardware.cameras.intelrealsense import camera, software

        distances = np.full((config.height, config.width), 700, np.uint16)
        monkeypatch.setattr(
            camera, "UsbFrames", lambda _: software.SoftwareFrames(lambda _: (picture(config), distances))
        )
        return config

    return plug_in


@pytest.fixture
def tiny(stream, shared, publish, software_realsense, tmp_path):
    """The smallest config of a camera; those that need a source get one."""

    def make(name):
        config = cameras.config(name).tiny()
        if name == "mjpeg":
            return replace(config, url=stream(config), timeout_s=10.0)
        if name == "zmq":
            return replace(config, port=publish(config), timeout_ms=10_000)
        if name == "intelrealsense":
            return software_realsense(config)
        if name == "shared":
            return shared(replace(config, owner=f"conformance-{os.getpid()}-{tmp_path.name}"))
        if name in ("opencv", "video"):
            for number in range(30):
                cv2.imwrite(str(tmp_path / f"{number:02}.png"), picture(config))
            films = str(tmp_path / "%02d.png")
            return replace(config, path=films) if name == "video" else replace(config, index_or_path=films)
        return config

    return make


@pytest.mark.parametrize("name", NAMES)
class TestEveryCamera:
    def test_it_describes_itself_before_it_is_connected(self, name, tiny):
        camera = cameras.build(config := tiny(name))
        assert isinstance(camera, Camera)
        assert camera.spec.is_image
        size = getattr(config, "height", 12), getattr(config, "width", 16)
        assert camera.spec.shape == (*size, 3)

    def test_its_pictures_are_what_it_said(self, name, tiny):
        with connected(camera := cameras.build(tiny(name))):
            for _ in range(3):
                camera.spec.check("picture", camera.read())

    def test_what_it_gave_does_not_change_afterwards(self, name, tiny):
        with connected(camera := cameras.build(tiny(name))):
            first = camera.read()
            kept = first.copy()
            camera.read()
            np.testing.assert_array_equal(first, kept)

    def test_it_says_when_each_picture_was_taken(self, name, tiny):
        with connected(camera := cameras.build(tiny(name))):
            camera.read()
            first = camera.taken_at
            camera.read()
            assert camera.taken_at >= first

    def test_the_next_picture_is_another_one(self, name, tiny):
        with connected(camera := cameras.build(tiny(name))):
            camera.read()
            first = camera.taken_at
            camera.spec.check("picture", camera.read_next(5.0))
            assert camera.taken_at > first

    def test_it_tells_how_it_is_doing(self, name, tiny):
        with connected(camera := cameras.build(tiny(name))):
            camera.read_next(5.0)
            camera.read_next(5.0)
            health = camera.health()
        assert (health.problem, health.reconnects) == ("", 0)
        assert 0 <= health.age_s < 5
        assert health.fps >= 0

    def test_connecting_and_disconnecting_twice_is_harmless(self, name, tiny):
        camera = cameras.build(tiny(name))
        camera.disconnect()
        for _ in range(2):
            camera.connect()
            camera.connect()
            camera.read()
            camera.disconnect()
            camera.disconnect()

    def test_it_says_when_it_is_not_connected(self, name, tiny):
        with pytest.raises(CameraError, match="not connected"):
            cameras.build(tiny(name)).read()

    def test_its_config_round_trips_through_json(self, name):
        config = cameras.config(name).tiny()
        stored = json.loads(json.dumps(codec.encode(config)))
        assert codec.decode(type(config), stored) == config


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("fake", "sim")])
def test_a_camera_without_its_source_says_so(name):
    with pytest.raises((DeviceError, MissingExtra), match=r"Camera '|Run: pip install"):
        cameras.build(cameras.config(name).tiny()).connect()
