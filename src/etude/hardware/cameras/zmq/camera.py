"""A camera on another computer: JSON messages with JPEG pictures, over ZeroMQ, as LeRobot sends them."""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import Any

import cv2
import numpy as np

from etude.core.errors import CameraError, MissingExtra
from etude.core.spec import Specs
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.shape import check_size, in_order
from etude.hardware.cameras.source import COLOUR, Pictures, colour_spec
from etude.hardware.cameras.zmq.config import Config

try:
    import zmq
except ImportError as error:
    raise MissingExtra("A camera over ZeroMQ", "zmq") from error

_LARGEST_BYTES = 64 << 20
"""Of a message, with pictures of several cameras in it; who sends more is hung up on."""
_LOOK_MS = 100
"""How often a wait for a picture looks whether it is still wanted."""


def build(config: Config) -> LiveCamera:
    """Make the camera; it is not connected yet."""
    return LiveCamera(ZmqSource(config), grace_s=config.grace_s)


class ZmqSource:
    """A publisher's newest message: `{"timestamps": {name: s}, "images": {name: JPEG in base64}}`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.name = f"{config.camera_name} at {config.server_address}:{config.port}"
        self.specs: Specs = {}
        if config.width and config.height:
            self.specs = {COLOUR: colour_spec(config.width, config.height)}
        self._socket: zmq.Socket[bytes] | None = None
        self._is_wanted = False

    def open(self) -> None:
        """Subscribe; whether anybody is there shows with the first picture."""
        context = zmq.Context.instance()
        self._socket = socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.CONFLATE, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_BYTES)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        try:
            socket.connect(f"tcp://{self._config.server_address}:{self._config.port}")
        except zmq.ZMQError as error:
            raise CameraError(self.name, f"that is no address: {error}.") from error
        self._is_wanted = True

    def grab(self) -> Pictures:
        """Wait for the next picture; the first one tells the size where the config does not."""
        data = _jpeg(self._receive(), self._config.camera_name)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if picture is None:
            raise CameraError(self.name, "it sent something that is no picture of this camera.")
        height, width = picture.shape[:2]
        if not self.specs:
            self.specs = {COLOUR: colour_spec(width, height)}
        check_size(self.name, picture, *self.specs[COLOUR].shape[1::-1])
        return {COLOUR: in_order(picture, self._config.color_mode)}

    def interrupt(self) -> None:
        """Make a `grab` that waits in another thread return soon; a socket must not be closed from here."""
        self._is_wanted = False

    def close(self) -> None:
        """Close the socket."""
        socket, self._socket = self._socket, None
        if socket:
            socket.close()

    def _receive(self) -> bytes:
        socket, end = self._socket, time.perf_counter() + self._config.timeout_ms / 1000
        while socket and self._is_wanted and (remaining_s := end - time.perf_counter()) > 0:
            if socket.poll(min(_LOOK_MS, max(1, round(remaining_s * 1000)))):
                return socket.recv()
        raise CameraError(
            self.name,
            f"no picture came within {self._config.timeout_ms} ms. Is it sending? "
            f"Messages over {_LARGEST_BYTES >> 20} MiB are refused.",
        )


def _jpeg(message: bytes, camera: str) -> bytes:
    """Give the JPEG of `camera`, or of the only one in `message`; nothing when there is none."""
    try:
        images: Any = json.loads(message)["images"]
        text = images.get(camera) or (next(iter(images.values())) if len(images) == 1 else "")
        return base64.b64decode(text, validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return b""
