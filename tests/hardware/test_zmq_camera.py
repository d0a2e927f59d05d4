import base64
import json
import threading
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from etude.core.errors import CameraError, ConfigError
from etude.hardware import cameras
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.device import connected

zmq = pytest.importorskip("zmq")
from etude.hardware.cameras.zmq import camera as zmq_camera  # noqa: E402
from etude.hardware.cameras.zmq.camera import ZmqSource  # noqa: E402

Config = cameras.config("zmq")


def message(**levels):
    """What LeRobot's image server sends."""
    jpegs = {
        name: base64.b64encode(cv2.imencode(".jpg", np.full((12, 16, 3), level, np.uint8))[1]).decode()
        for name, level in levels.items()
    }
    return json.dumps({"timestamps": dict.fromkeys(levels, time.time()), "images": jpegs})


class Server:
    """Publishes one message over and over."""

    def __init__(self):
        context = zmq.Context.instance()
        self.message, self._is_over = message(head=90), threading.Event()
        self._socket = context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self.port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._is_over.wait(0.002):
            if self.message is not None:
                self._socket.send_string(self.message)
        self._socket.close()

    def close(self):
        self._is_over.set()
        self._thread.join(5)


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


def config(server, **values):
    return Config(server_address="127.0.0.1", port=server.port, timeout_ms=5000, **values)


def test_the_camera_that_is_asked_for(server):
    server.message = message(head=50, wrist=200)
    with connected(camera := cameras.build(config(server, camera_name="wrist"))):
        assert camera.spec.shape == (12, 16, 3)
        assert camera.read_next(5.0).mean() == pytest.approx(200, abs=3)
        assert camera.taken_at == pytest.approx(time.perf_counter(), abs=5)


def test_the_only_camera_needs_no_name(server):
    with connected(camera := cameras.build(config(server, width=16, height=12))):
        assert camera.read().mean() == pytest.approx(90, abs=3)


@pytest.mark.parametrize("sent", ["[]", "no json", '{"images": {}}', '{"images": {"head": "?"}}', '{"images": 3}'])
def test_what_is_no_picture_is_refused(server, sent):
    server.message = sent
    with pytest.raises(CameraError, match="it sent something that is no picture of this camera"):
        cameras.build(config(server)).connect()


def test_two_cameras_and_neither_is_the_one(server):
    server.message = message(head=50, wrist=200)
    with pytest.raises(CameraError, match="no picture of this camera"):
        cameras.build(config(server, camera_name="top")).connect()


def test_a_server_that_falls_silent_and_speaks_again(server):
    source = ZmqSource(replace(config(server), timeout_ms=50))
    camera = LiveCamera(source, grace_s=60.0, retry_s=0.001)
    with connected(camera):
        sent, server.message = server.message, None
        while not camera.health().problem:
            threading.Event().wait(0.002)
        assert "no picture came within 50 ms" in camera.health().problem
        camera.read()
        server.message = sent
        while camera.health().reconnects == 0:
            threading.Event().wait(0.002)


@pytest.mark.parametrize("values", [{"server_address": ""}, {"port": 0}, {"width": 3}, {"timeout_ms": 0}])
def test_values_that_make_no_sense(values):
    with pytest.raises(ConfigError):
        Config(**{"server_address": "127.0.0.1"} | values)


def test_a_message_without_end_is_refused(server, monkeypatch):
    monkeypatch.setattr(zmq_camera, "_LARGEST_BYTES", 1 << 20)
    server.message = " " * (2 << 20)
    source = ZmqSource(replace(config(server), timeout_ms=300))
    source.open()
    with pytest.raises(CameraError, match=r"no picture came within 300 ms.*Messages over 1 MiB are refused"):
        source.grab()
    source.close()
