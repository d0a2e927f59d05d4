"""A camera that another process has open, seen through memory that both share."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from etude.core.errors import CameraError
from etude.core.spec import Spec, Specs
from etude.hardware.cameras import place
from etude.hardware.cameras.ring import RingReader, Shot
from etude.hardware.cameras.shared.config import Config
from etude.hardware.cameras.source import COLOUR, Pictures
from etude.hardware.device import connected
from etude.hardware.health import CameraHealth

_LOOK_S = 0.001
_LATE_S = 0.3
"""After this time without a picture, it is asked whether another owner has taken over."""


def build(config: Config) -> SharedCamera:
    """Make the camera; its owner may be started before it is connected."""
    return SharedCamera(config)


class SharedCamera:
    """Copies the newest picture when it is asked for; no thread, no waiting, no decoding."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._path = place.ring_path(config.owner, config.camera)
        self._ring: RingReader | None = None
        self._specs: Specs = {}
        self._shot: Shot | None = None
        self._num_owners = 0
        self._asked_at = 0.0
        self.taken_at = 0.0
        """When the picture that was read last was taken, on the clock that all processes share [s]."""

    @property
    def specs(self) -> Specs:
        """What its pictures look like, by suffix, as its owner says."""
        if not self._specs:
            with connected(self):
                pass
        return self._specs

    @property
    def spec(self) -> Spec:
        """What its colour picture looks like, or its only one."""
        specs = self.specs
        return specs.get(COLOUR) or next(iter(specs.values()))

    def connect(self) -> None:
        """Find the owner; raise `CameraError` when there is none."""
        if self._ring is None:
            self._ring = RingReader(self._path)
            self._specs, self._shot, self._num_owners = self._ring.specs, None, 1

    def disconnect(self) -> None:
        """Let go of the shared memory."""
        ring, self._ring = self._ring, None
        if ring:
            ring.close()

    def read(self) -> np.ndarray:
        """Give the newest picture."""
        return _first(self.read_all())

    def read_next(self, timeout_s: float) -> np.ndarray:
        """Wait for a picture newer than the one given last; raise `CameraError` when none comes in time."""
        return _first(self.read_all_next(timeout_s))

    def read_all(self) -> Pictures:
        """Give the newest pictures by suffix, all of one instant."""
        self._look()
        if self._shot is None:  # the owner was found between opening its camera and its first picture
            return self.read_all_next(self._config.grace_s)
        if self._age_s() > self._config.grace_s:
            raise self._complaint()
        return self._give(self._shot)

    def read_all_next(self, timeout_s: float) -> Pictures:
        """Wait for pictures newer than those given last."""
        end, given_at = time.perf_counter() + timeout_s, self.taken_at
        while True:
            self._look()
            if self._shot and self._shot.taken_at > given_at:
                return self._give(self._shot)
            if time.perf_counter() > end:
                raise self._complaint()
            time.sleep(_LOOK_S)

    def health(self) -> CameraHealth:
        """Tell how well the camera keeps up, as its owner says, and whether the owner lives."""
        if self._ring is None:
            return CameraHealth(problem="it is not connected.")
        told, age_s = self._ring.health(), self._age_s()
        problem = told.problem if self._ring.is_current() else "the process that owns it has ended."
        return replace(told, age_s=age_s, reconnects=told.reconnects + self._num_owners - 1, problem=problem)

    def _look(self) -> None:
        """Copy the newest pictures, unless they are known; after a pause ask whether they are written elsewhere now."""
        if self._ring is None:
            raise CameraError(self._config.camera, "it is not connected. Call connect() first.")
        if self._shot is None or self._ring.number() != self._shot.number:
            self._shot = self._ring.newest() or self._shot
        now = time.perf_counter()
        if now - max(self._asked_at, self._shot.taken_at if self._shot else 0.0) > _LATE_S:
            self._asked_at = now
            self._follow_owner(self._ring)

    def _follow_owner(self, ring: RingReader) -> None:
        """Change over to a new owner's ring if there is one."""
        if ring.is_current():
            return
        try:
            successor = RingReader(self._path)
        except CameraError:
            return
        if successor.specs != self._specs or not (newest := successor.newest()):
            successor.close()
            return
        ring.close()
        self._ring, self._shot = successor, newest
        self._num_owners += 1

    def _give(self, shot: Shot) -> Pictures:
        self.taken_at = shot.taken_at
        return shot.pictures

    def _age_s(self) -> float:
        return time.perf_counter() - self._shot.taken_at if self._shot else 0.0

    def _complaint(self) -> CameraError:
        why = self.health().problem or "check its cable or network."
        return CameraError(self._config.camera, f"no new picture for {self._age_s():.1f} s: {why}")


def _first(pictures: Pictures) -> np.ndarray:
    return pictures[COLOUR] if COLOUR in pictures else next(iter(pictures.values()))
