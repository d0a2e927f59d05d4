"""A camera whose pictures come by themselves: read in a thread, so that a control loop always has the newest one."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np

from etude.core.errors import CameraError, EtudeError
from etude.core.spec import Spec, Specs
from etude.hardware.cameras.pace import Pace
from etude.hardware.cameras.source import COLOUR, Ended, Pictures, Source
from etude.hardware.device import connected
from etude.hardware.health import CameraHealth

_JOIN_TIMEOUT_S = 2.0
_STALLED_S = 1.0
_LAST_CHANCE_S = 0.2
"""After this process stood still, such as a suspended computer, the newest picture is old but the next one is near."""


class LiveCamera:
    """Gives the newest picture of `source` at once, and opens it again by itself after it was unplugged.

    While it is away the last picture is given for `grace_s`; its time does not move, which is how a recording knows
    that it is repeated. After that, reading raises a `CameraError`, until the camera is back.
    """

    def __init__(self, source: Source, *, grace_s: float = 3.0, warmup_s: float = 0.0, retry_s: float = 0.5) -> None:
        self._source = source
        self._grace_s, self._warmup_s, self._retry_s = grace_s, warmup_s, retry_s
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._hanging: threading.Thread | None = None
        self._pictures: Pictures = {}
        self._pace = Pace()
        self._number = self._number_given = self._reconnects = 0
        self._taken_at = self.taken_at = 0.0
        self._problem: CameraError | None = None

    @property
    def specs(self) -> Specs:
        """What its pictures look like, by suffix; unless the config says it, the camera is asked for one."""
        if not self._source.specs:
            with connected(self):
                pass
        return self._source.specs

    @property
    def spec(self) -> Spec:
        """What its colour picture looks like, or its only one."""
        specs = self.specs
        return specs.get(COLOUR) or next(iter(specs.values()))

    def connect(self) -> None:
        """Open the camera; raise `CameraError` when there is none, or when it gives pictures of another size."""
        if self._thread:
            return
        if self._is_hanging():
            raise CameraError(
                self._source.name, "its driver hangs since it was closed. Pull it out and plug it in again."
            )
        self._number = self._number_given = self._reconnects = 0
        self._stop = threading.Event()
        try:
            with self._in_words():
                self._source.open()
                self._keep(self._source.grab())  # what a camera says of its size is not always what it gives
        except EtudeError:
            self._source.close()
            raise
        self._thread = threading.Thread(target=self._run, name=f"camera {self._source.name}", daemon=True)
        self._thread.start()
        self._stop.wait(self._warmup_s)

    def disconnect(self) -> None:
        """Close the camera; returns when its thread has ended or hangs in the camera's driver."""
        thread, self._thread = self._thread, None
        if thread:
            self._stop.set()
            self._source.interrupt()
            thread.join(_JOIN_TIMEOUT_S)
            self._hanging = thread  # it still closes the camera, and must not close one that is opened meanwhile

    def read(self) -> np.ndarray:
        """Give the newest picture."""
        return _first(self.read_all())

    def read_next(self, timeout_s: float) -> np.ndarray:
        """Wait for a picture newer than the one given last; raise `CameraError` when none comes in time."""
        return _first(self.read_all_next(timeout_s))

    def read_all(self) -> Pictures:
        """Give the newest pictures by suffix, all of one instant."""
        self._check_connected()
        with self._changed:
            self._changed.wait_for(self._has_any, 0 if self._has_any() else _LAST_CHANCE_S)
            if not self._has_any():
                raise self._complaint()
            return self._give()

    def read_all_next(self, timeout_s: float) -> Pictures:
        """Wait for pictures newer than those given last."""
        self._check_connected()
        with self._changed:
            wanted = self._number_given
            self._changed.wait_for(lambda: self._number > wanted or isinstance(self._problem, Ended), timeout_s)
            if self._number <= wanted:
                raise self._complaint()
            return self._give()

    def health(self) -> CameraHealth:
        """Tell how well the camera keeps up."""
        if not self._thread:
            return CameraHealth(problem="it is not connected.")
        now = time.perf_counter()
        age_s, problem = now - self._taken_at, self._problem
        words = problem.problem if problem else f"no picture for {age_s:.1f} s." if age_s > _STALLED_S else ""
        return CameraHealth(fps=self._pace.fps(now), age_s=age_s, reconnects=self._reconnects, problem=words)

    def _is_hanging(self) -> bool:
        if self._hanging:
            self._hanging.join(_JOIN_TIMEOUT_S)
        return bool(self._hanging and self._hanging.is_alive())

    def _has_any(self) -> bool:
        return not isinstance(self._problem, Ended) and time.perf_counter() - self._taken_at < self._grace_s

    def _give(self) -> Pictures:
        self._number_given, self.taken_at = self._number, self._taken_at
        return self._pictures

    def _complaint(self) -> CameraError:
        if isinstance(self._problem, Ended):
            return self._problem
        age_s = time.perf_counter() - self._taken_at
        why = self._problem.problem if self._problem else "check its cable or network."
        return CameraError(self._source.name, f"no new picture for {age_s:.1f} s: {why}")

    def _check_connected(self) -> None:
        if not self._thread:
            raise CameraError(self._source.name, "it is not connected. Call connect() first.")

    def _run(self) -> None:
        stop = self._stop
        while not stop.is_set():
            try:
                with self._in_words():
                    self._keep(self._source.grab())
            except EtudeError as problem:
                self._tell(problem)
                if isinstance(problem, Ended):
                    break
                self._reopen(stop)
        self._source.close()

    def _reopen(self, stop: threading.Event) -> None:
        """Try to open the camera until it is back or nobody wants it any more."""
        self._source.close()
        while not stop.wait(self._retry_s):
            try:
                with self._in_words():
                    self._source.open()
                    pictures = self._source.grab()
            except EtudeError as problem:
                self._source.close()
                self._tell(problem)
                continue
            self._reconnects += 1
            self._keep(pictures)
            return

    @contextmanager
    def _in_words(self) -> Generator[None]:
        """Make one kind of error of whatever a driver raises; in a thread, nobody would hear of another."""
        try:
            yield
        except EtudeError:
            raise
        except Exception as error:
            raise CameraError(self._source.name, f"its driver failed: {type(error).__name__}: {error}.") from error

    def _keep(self, pictures: Pictures) -> None:
        now = time.perf_counter()
        with self._changed:
            self._pictures, self._taken_at, self._problem = pictures, now, None
            self._number += 1
            self._pace.tick(now)
            self._changed.notify_all()

    def _tell(self, problem: EtudeError) -> None:
        with self._changed:
            is_told = isinstance(problem, CameraError)
            self._problem = problem if is_told else CameraError(self._source.name, str(problem))
            self._changed.notify_all()


def _first(pictures: Pictures) -> np.ndarray:
    return pictures[COLOUR] if COLOUR in pictures else next(iter(pictures.values()))
