"""A camera or video file through OpenCV, whose failures are told in our words."""

from __future__ import annotations

from pathlib import Path

import cv2

from etude.core.errors import CameraError
from etude.hardware.cameras import identity
from etude.hardware.cameras.capture import capture_at
from etude.hardware.cameras.film import FilmCamera
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.opencv.config import Config
from etude.hardware.cameras.shape import check_size, in_order, size_before, turned
from etude.hardware.cameras.source import COLOUR, Pictures, colour_spec
from etude.hardware.device import Camera


def build(config: Config) -> Camera:
    """Make the camera; it is not connected yet. A live one gives the newest picture, a file the next one."""
    source = OpenCVSource(config)
    if source.is_recorded:
        return FilmCamera(source)
    return LiveCamera(source, grace_s=config.grace_s, warmup_s=config.warmup_s)


class OpenCVSource:
    """Pictures through `cv2.VideoCapture`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.name = str(config.index_or_path)
        self.specs = {COLOUR: colour_spec(config.width, config.height)}
        self.is_recorded = identity.is_recorded(config.index_or_path)
        self._size = size_before(config.width, config.height, config.rotation)
        self._identity: int | str = config.index_or_path
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Open the camera and ask it for size and rate; of a file, check the size."""
        capture = capture_at(self._place())
        if not capture.isOpened():
            advice = "Check the name, number or path, and that it is free: etude find-cameras shows what is there."
            raise CameraError(self.name, f"it cannot be opened. {advice}")
        self._capture = capture
        if self.is_recorded:
            self._check_file(capture)
        else:
            self._identity = identity.lasting(self._identity)  # after a replug the number may be another camera's
            self._set_up(capture)

    def grab(self) -> Pictures:
        """Wait for the next picture."""
        capture = self._capture
        ok, picture = capture.read() if capture is not None else (False, None)
        if not ok or picture is None:
            raise CameraError(self.name, "it gives no more pictures. It was unplugged, or the file has ended.")
        check_size(self.name, picture, *self._size)
        return {COLOUR: in_order(turned(picture, self._config.rotation), self._config.color_mode)}

    def interrupt(self) -> None:
        """Do nothing: OpenCV cannot be interrupted, but gives up by itself."""

    def close(self) -> None:
        """Close the camera."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def _place(self) -> int | str:
        """Tell what OpenCV is to open; raise `CameraError` when there is no such device, which OpenCV would print."""
        if self.is_recorded:
            return self._identity
        place = identity.place_of(self._identity)
        if isinstance(place, int) or not place.startswith("/dev/"):
            return place
        if not Path(place).exists():
            raise CameraError(self.name, "it is not plugged in.")
        number = place.removeprefix("/dev/video")
        return int(number) if number.isdigit() else place

    def _set_up(self, capture: cv2.VideoCapture) -> None:
        wanted = self._config
        if wanted.fourcc:
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.fourcc))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        capture.set(cv2.CAP_PROP_FPS, wanted.fps)

    def _check_file(self, capture: cv2.VideoCapture) -> None:
        size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if size != self._size:
            wanted = f"{self._size[0]} x {self._size[1]}"
            raise CameraError(
                self.name,
                f"it gives pictures of {size[0]} x {size[1]}, not {wanted}. Ask for that width and height.",
            )
