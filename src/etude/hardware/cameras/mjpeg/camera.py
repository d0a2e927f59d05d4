"""A camera on the network: JPEG pictures over HTTP, of which the newest is given."""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

import cv2
import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Specs
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.mjpeg.config import Config
from etude.hardware.cameras.mjpeg.stream import read_picture
from etude.hardware.cameras.shape import check_size, in_order
from etude.hardware.cameras.source import COLOUR, Pictures, colour_spec


def build(config: Config) -> LiveCamera:
    """Make the camera; it is not connected yet."""
    return LiveCamera(MjpegSource(config), grace_s=config.grace_s)


class MjpegSource:
    """Pictures out of an HTTP answer that goes on for ever."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.name = config.url
        self.specs: Specs = {}
        if config.width and config.height:
            self.specs = {COLOUR: colour_spec(config.width, config.height)}
        self._stream: _Stream | None = None

    def open(self) -> None:
        """Open the stream; raise `CameraError` when there is none."""
        self._stream = _Stream(self._config)

    def grab(self) -> Pictures:
        """Wait for the next picture; the first one tells the size where the config does not."""
        if not self._stream:
            raise CameraError(self.name, "it was disconnected.")
        picture = cv2.imdecode(np.frombuffer(self._stream.next(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise CameraError(self.name, "it sent something that is no JPEG picture.")
        height, width = picture.shape[:2]
        if not self.specs:
            self.specs = {COLOUR: colour_spec(width, height)}
        check_size(self.name, picture, *self.specs[COLOUR].shape[1::-1])
        return {COLOUR: in_order(picture, "rgb")}

    def interrupt(self) -> None:
        """Make a `grab` that waits in another thread return."""
        if self._stream:
            self._stream.interrupt()

    def close(self) -> None:
        """Close the stream."""
        stream, self._stream = self._stream, None
        if stream:
            stream.interrupt()
            stream.close()


class _Stream:
    """An open HTTP response that goes on for ever."""

    def __init__(self, config: Config) -> None:
        self._url, address = config.url, urlsplit(config.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.netloc.rpartition("@")[2], timeout=config.timeout_s)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            self._connection.connect()
            self._socket: socket.socket = self._connection.sock
            self._connection.request("GET", path)
            self._response = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CameraError(self._url, f"the stream cannot be opened: {error}.") from error
        self._boundary = self._check_answer()

    def next(self) -> bytes:
        """Wait for the next picture's JPEG bytes."""
        try:
            data = read_picture(self._response, self._boundary)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CameraError(self._url, f"the stream broke: {error}.") from error
        if data is None:
            raise CameraError(self._url, "the stream ended.")
        return data

    def interrupt(self) -> None:
        """Make a `next` that waits in another thread return."""
        with suppress(OSError):  # the other side may have closed it already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()
        self._socket.close()

    def _check_answer(self) -> bytes:
        """Give the boundary between pictures; raise `CameraError` when the answer is no stream of them."""
        content = self._response.headers
        boundary = content.get_boundary()
        if self._response.status == HTTPStatus.OK and boundary:
            return boundary.strip('"-').encode()
        status, kind = self._response.status, content.get_content_type()
        self.close()
        raise CameraError(self._url, f"it answered {status} with {kind}, not with a stream of pictures.")
