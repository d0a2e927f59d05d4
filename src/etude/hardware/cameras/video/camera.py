"""A film instead of a camera."""

from __future__ import annotations

import threading
import time

import cv2
import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Specs
from etude.hardware.cameras.capture import capture_at
from etude.hardware.cameras.film import FilmCamera
from etude.hardware.cameras.live import LiveCamera
from etude.hardware.cameras.shape import check_size, in_order
from etude.hardware.cameras.source import COLOUR, Ended, Pictures, colour_spec
from etude.hardware.cameras.video.config import Config
from etude.hardware.device import Camera

_USUAL_FPS = 30.0


def build(config: Config) -> Camera:
    """Make the camera; it is not connected yet."""
    source = VideoSource(config)
    return LiveCamera(source, grace_s=config.grace_s) if config.is_live else FilmCamera(source)


class VideoSource:
    """Decodes one picture after the other; when live, not before it is due."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.name = config.path
        self.specs: Specs = {}
        if config.width and config.height:
            self.specs = {COLOUR: colour_spec(config.width, config.height)}
        self._film: cv2.VideoCapture | None = None
        self._stopped = threading.Event()
        self._period_s = 0.0
        self._due = 0.0

    def open(self) -> None:
        """Open the film at its beginning."""
        film = capture_at(self._config.path)
        if not film.isOpened():
            raise CameraError(self.name, "it cannot be opened. Check the path, and that it is a film.")
        self._stopped.clear()
        self._film = film
        if not self.specs:
            size = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
            self.specs = {COLOUR: colour_spec(int(size[0]), int(size[1]))}
        self._period_s = 1 / (self._config.fps or film.get(cv2.CAP_PROP_FPS) or _USUAL_FPS)
        self._due = time.perf_counter()

    def grab(self) -> Pictures:
        """Wait until the next picture is due, and give it."""
        film = self._film
        if film is None:
            raise CameraError(self.name, "it was disconnected.")
        if self._config.is_live:
            self._wait()
        picture = self._next(film)
        height, width, _ = self.specs[COLOUR].shape
        check_size(self.name, picture, width, height)
        return {COLOUR: in_order(picture, "rgb")}

    def interrupt(self) -> None:
        """Make a `grab` that waits in another thread return."""
        self._stopped.set()

    def close(self) -> None:
        """Close the film."""
        film, self._film = self._film, None
        if film is not None:
            film.release()

    def _wait(self) -> None:
        self._stopped.wait(max(0.0, self._due - time.perf_counter()))
        self._due = max(self._due, time.perf_counter() - self._period_s) + self._period_s

    def _next(self, film: cv2.VideoCapture) -> np.ndarray:
        """Decode the next picture; at the film's end the first one, if that is wanted."""
        ok, picture = film.read()
        if not ok and self._config.loop:
            film.set(cv2.CAP_PROP_POS_FRAMES, 0)
            ok, picture = film.read()
        if not ok:
            raise Ended(self.name, "the film has ended.")
        return picture
