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
from etude.core.spec import Spec
from etude.hardware.cameras.mjpeg.config import Config
from etude.hardware.cameras.mjpeg.stream import read_picture
from etude.hardware.cameras.reader import Reader
from etude.hardware.device import connected


def build(config: Config) -> MjpegCamera:
    """Make the camera; it is not connected yet."""
    return MjpegCamera(config)


class MjpegCamera:
    """Reads the stream in a thread and keeps its newest picture."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._shape = (config.height, config.width, 3) if config.height and config.width else None
        self._stream: _Stream | None = None
        self._reader: Reader | None = None

    @property
    def spec(self) -> Spec:
        """What its pictures look like; unless the config says it, the camera is asked for one."""
        if self._shape is None:
            with connected(self):
                self._shape = self.read().shape
        return Spec(shape=self._shape, dtype="uint8", names=("height", "width", "channels"))

    def connect(self) -> None:
        """Open the stream; raise `CameraError` when there is none, or when its pictures have another size."""
        if self._stream:
            return
        self._stream = _Stream(self._config)
        try:
            self._grab()  # the first picture tells whether the size is right
        except CameraError:
            self.disconnect()
            raise
        self._reader = Reader(self._config.url, self._grab)
        self._reader.start()

    def disconnect(self) -> None:
        """Close the stream."""
        stream, self._stream = self._stream, None
        reader, self._reader = self._reader, None
        if stream:
            stream.interrupt()
        if reader:
            reader.stop()
        if stream:
            stream.close()

    def read(self) -> np.ndarray:
        """Give the newest picture."""
        if not self._reader:
            raise CameraError(self._config.url, "it is not connected. Call connect() first.")
        return self._reader.newest(self._config.timeout_s)

    @property
    def taken_at(self) -> float:
        """When the picture that was read last came [s]."""
        return self._reader.given_at if self._reader else 0.0

    def _grab(self) -> np.ndarray:
        if not self._stream:
            raise CameraError(self._config.url, "it was disconnected.")
        picture = cv2.imdecode(np.frombuffer(self._stream.next(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise CameraError(self._config.url, "it sent something that is no JPEG picture.")
        if self._shape and picture.shape != self._shape:
            height, width = picture.shape[:2]
            wanted = f"{self._shape[1]} x {self._shape[0]}"
            raise CameraError(
                self._config.url,
                f"it sends pictures of {width} x {height}, not {wanted}. Ask for that width and height.",
            )
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


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
