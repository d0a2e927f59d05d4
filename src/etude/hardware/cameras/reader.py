"""Pictures read in a thread, so that a control loop always gets the newest one and never waits for a slow camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from etude.core.errors import CameraError

_JOIN_TIMEOUT_S = 2.0


class Reader:
    """Calls `grab` over and over and keeps the last picture; `grab` waits for the next one or raises `CameraError`."""

    def __init__(self, camera: str, grab: Callable[[], np.ndarray]) -> None:
        self._camera, self._grab = camera, grab
        self._changed = threading.Condition()
        self._picture: np.ndarray | None = None
        self._taken_at = 0.0
        self.given_at = 0.0
        """When the picture came that was given last, on `time.perf_counter` [s]."""
        self._problem: CameraError | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"camera {camera}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def newest(self, max_age_s: float) -> np.ndarray:
        """Give the newest picture; wait for one as long as there is none younger than `max_age_s`, then raise."""
        with self._changed:
            self._changed.wait_for(lambda: self._problem or self._is_fresh(max_age_s), max_age_s)
            if self._problem:
                raise self._problem
            if self._picture is None or not self._is_fresh(max_age_s):
                raise CameraError(self._camera, f"no picture for {max_age_s:g} s. Check its cable or network.")
            self.given_at = self._taken_at
            return self._picture

    def stop(self) -> None:
        """Stop reading; returns when the thread has ended or hangs in the camera's driver."""
        self._is_stopping = True
        if self._thread.is_alive():
            self._thread.join(_JOIN_TIMEOUT_S)

    def _is_fresh(self, max_age_s: float) -> bool:
        return self._picture is not None and time.perf_counter() - self._taken_at < max_age_s

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                picture = self._grab()
            except CameraError as problem:
                self._tell(problem=problem)
                return
            self._tell(picture=picture)

    def _tell(self, picture: np.ndarray | None = None, problem: CameraError | None = None) -> None:
        with self._changed:
            if picture is not None:
                self._picture, self._taken_at = picture, time.perf_counter()
            self._problem = problem
            self._changed.notify_all()
