"""A camera that needs no hardware."""

from __future__ import annotations

import time

import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Spec
from etude.hardware.cameras.fake.config import Config
from etude.hardware.cameras.pace import Pace
from etude.hardware.health import CameraHealth


def build(config: Config) -> FakeCamera:
    """Make the camera; it is not connected yet."""
    return FakeCamera(config)


class FakeCamera:
    """Draws a gradient that moves by one step per picture; the first pixel is the picture's number, big endian."""

    def __init__(self, config: Config) -> None:
        self.spec = Spec(shape=(config.height, config.width, 3), dtype="uint8", names=("height", "width", "channels"))
        self._number: int | None = None
        self._pace = Pace()
        self.taken_at = 0.0

    def connect(self) -> None:
        """Begin with picture 0."""
        if self._number is None:
            self._number = 0

    def disconnect(self) -> None:
        """Forget the count."""
        self._number = None

    def read(self) -> np.ndarray:
        """Give the next picture."""
        if self._number is None:
            raise CameraError("fake", "it is not connected. Call connect() first.")
        picture = draw(self._number, self.spec.shape)
        self._number += 1
        self.taken_at = time.perf_counter()
        self._pace.tick(self.taken_at)
        return picture

    def read_next(self, timeout_s: float) -> np.ndarray:  # noqa: ARG002  there is always a next one
        """Give the next picture."""
        return self.read()

    def health(self) -> CameraHealth:
        """Tell how fast pictures are asked for."""
        now = time.perf_counter()
        return CameraHealth(fps=self._pace.fps(now), age_s=now - self.taken_at if self.taken_at else 0.0)


def draw(number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Draw picture `number`, uint8 of `shape` (height, width, 3)."""
    rows, columns, channels = np.ogrid[: shape[0], : shape[1], : shape[2]]
    picture = (rows * 3 + columns * 2 + channels * 80 + number).astype(np.uint8)
    picture[0, 0] = list(number.to_bytes(8, "big")[-3:])
    return picture
