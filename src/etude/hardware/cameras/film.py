"""A camera that waits for its reader: every picture of a file is given in turn, none is skipped."""

from __future__ import annotations

import time

import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Spec
from etude.hardware.cameras.pace import Pace
from etude.hardware.cameras.source import COLOUR, Source
from etude.hardware.device import connected
from etude.hardware.health import CameraHealth


class FilmCamera:
    """Gives the next picture of `source` with every read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._is_open = False
        self._pace = Pace()
        self._problem = ""
        self.taken_at = 0.0
        """When the picture that was read last was asked for [s]."""

    @property
    def spec(self) -> Spec:
        """What its pictures look like; unless the config says it, the file is asked."""
        if not self._source.specs:
            with connected(self):
                pass
        return self._source.specs[COLOUR]

    def connect(self) -> None:
        """Open the file; raise `CameraError` when there is none, or when its pictures have another size."""
        if self._is_open:
            return
        try:
            self._source.open()
        except CameraError:
            self._source.close()
            raise
        self._is_open, self._problem = True, ""

    def disconnect(self) -> None:
        """Close the file."""
        self._is_open = False
        self._source.close()

    def read(self) -> np.ndarray:
        """Give the next picture."""
        if not self._is_open:
            raise CameraError(self._source.name, "it is not connected. Call connect() first.")
        try:
            picture = self._source.grab()[COLOUR]
        except CameraError as error:
            self._problem = error.problem
            raise
        self.taken_at = time.perf_counter()
        self._pace.tick(self.taken_at)
        return picture

    def read_next(self, timeout_s: float) -> np.ndarray:  # noqa: ARG002  a file has the next picture at once
        """Give the next picture."""
        return self.read()

    def health(self) -> CameraHealth:
        """Tell how fast pictures are asked for."""
        now = time.perf_counter()
        age_s = now - self.taken_at if self.taken_at else 0.0
        problem = self._problem if self._is_open else "it is not connected."
        return CameraHealth(fps=self._pace.fps(now), age_s=age_s, problem=problem)
