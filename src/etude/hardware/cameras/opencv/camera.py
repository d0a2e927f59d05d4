"""A camera or video file through OpenCV, whose failures are told in our words."""

from __future__ import annotations

import time

import cv2
import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Spec
from etude.hardware.cameras.opencv.config import Config
from etude.hardware.cameras.reader import Reader

_MAX_AGE_S = 2.0


def build(config: Config) -> OpenCVCamera:
    """Make the camera; it is not connected yet."""
    return OpenCVCamera(config)


def _is_recorded(source: int | str) -> bool:
    """Whether it is a video file or a series of pictures such as `%03d.png`, which waits for its reader."""
    return isinstance(source, str) and not source.startswith("/dev/") and "://" not in source


class OpenCVCamera:
    """The newest picture of a live camera or stream; of a video file the next one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._name = str(config.index_or_path)
        self._is_recorded = _is_recorded(config.index_or_path)
        self.spec = Spec(shape=(config.height, config.width, 3), dtype="uint8", names=("height", "width", "channels"))
        self._capture: cv2.VideoCapture | None = None
        self._reader: Reader | None = None

    def connect(self) -> None:
        """Open the camera; raise `CameraError` when there is none, or when it gives pictures of another size."""
        if self._capture is not None:
            return
        self._capture = cv2.VideoCapture(self._config.index_or_path)
        try:
            self._check(self._capture)
        except CameraError:
            self.disconnect()
            raise
        if not self._is_recorded:
            self._reader = Reader(self._name, self._grab)
            self._reader.start()

    def disconnect(self) -> None:
        """Close the camera."""
        reader, self._reader = self._reader, None
        if reader:
            reader.stop()
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def read(self) -> np.ndarray:
        """Give the newest picture, or the next one of a file."""
        if self._capture is None:
            raise CameraError(self._name, "it is not connected. Call connect() first.")
        return self._reader.newest(_MAX_AGE_S) if self._reader else self._grab()

    @property
    def taken_at(self) -> float:
        """When the picture that was read last came; a file's come when they are asked for [s]."""
        return self._reader.given_at if self._reader else time.perf_counter()

    def _grab(self) -> np.ndarray:
        capture = self._capture
        ok, picture = capture.read() if capture is not None else (False, None)
        if not ok or picture is None:
            raise CameraError(self._name, "it gives no more pictures. It was unplugged, or the file has ended.")
        if picture.shape != self.spec.shape:
            self._refuse(*picture.shape[1::-1])
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)

    def _check(self, capture: cv2.VideoCapture) -> None:
        """Make sure that the camera is open and gives pictures of the right size."""
        if not capture.isOpened():
            raise CameraError(self._name, "it cannot be opened. Check the number or path, and that it is free.")
        wanted = self._config
        if self._is_recorded:
            size = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if size != (wanted.width, wanted.height):
                self._refuse(int(size[0]), int(size[1]))
            return
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
        capture.set(cv2.CAP_PROP_FPS, wanted.fps)
        self._grab()  # what a camera says of its size is not always what it gives

    def _refuse(self, width: int, height: int) -> None:
        wanted = f"{self._config.width} x {self._config.height}"
        raise CameraError(
            self._name, f"it gives pictures of {width} x {height}, not {wanted}. Ask for that width and height."
        )
