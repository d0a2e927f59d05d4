"""A camera that draws this process's world."""

from __future__ import annotations

from collections import deque

import numpy as np

from etude.core.errors import CameraError, DeviceError
from etude.core.spec import Spec, Specs
from etude.hardware.cameras.pace import Pace
from etude.hardware.cameras.source import COLOUR, DEPTH, Pictures, colour_spec, depth_spec
from etude.hardware.device import Camera
from etude.hardware.health import CameraHealth
from etude.sim.cameras.sim.config import Config
from etude.sim.marks import mark
from etude.sim.scene import TIMESTEP_S
from etude.sim.world import World, shared_world

_ALMOST = 1 - 1e-6
Shot = tuple[float, Pictures]
"""When pictures were taken, and what they show."""


def build(config: Config) -> Camera:
    """Make the camera; the world begins when it connects."""
    return SimCamera(config)


class SimCamera:
    """Draws one view of the world as it is at the moment of reading, or as it was a little earlier.

    It is unplugged as long as its view is in the world's `unplugged`.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.specs: Specs = {COLOUR: colour_spec(config.width, config.height)}
        if config.use_depth:
            self.specs = {**self.specs, DEPTH: depth_spec(config.width, config.height)}
        self.taken_at = 0.0
        """When the picture that was read last was taken, on the world's clock [s]."""
        self._world: World | None = None
        self._forget()

    @property
    def spec(self) -> Spec:
        """What its colour picture looks like."""
        return self.specs[COLOUR]

    def connect(self) -> None:
        """Join the world; raise `DeviceError` when this machine cannot draw."""
        if self._world is not None:
            return
        self._world = shared_world()
        self._world.start()
        self._forget()
        try:
            self.read()
        except DeviceError:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Leave the world."""
        self._world = None

    def read(self) -> np.ndarray:
        """Give the newest picture that has arrived."""
        return self.read_all()[COLOUR]

    def read_next(self, timeout_s: float) -> np.ndarray:
        """Let simulated time pass until a newer picture arrives; raise `CameraError` when none comes in time."""
        clock, before = self._joined().clock, self.taken_at
        end = clock.now() + timeout_s
        picture = self.read()
        while self.taken_at <= before:
            if clock.now() >= end * _ALMOST:
                raise CameraError(self._config.view, f"no new picture for {timeout_s:g} s. Check its cable.")
            clock.sleep_until(min(end, clock.now() + TIMESTEP_S))
            picture = self.read()
        return picture

    def read_all(self) -> Pictures:
        """Give the newest picture that has arrived, and its distances if asked for."""
        world = self._joined()
        now = world.clock.now()
        if world.num_resets != self._num_resets:  # an episode's first picture must not show the end of another
            self._shots.clear()
            self._num_resets = world.num_resets
        if self._is_plugged(world):
            self._take(world, now)
        elif not self._shots or now - self._shots[-1][0] > self._config.grace_s:
            raise CameraError(self._config.view, "it was unplugged. Check its cable.")
        self.taken_at, pictures = self._arrived(now)
        return pictures

    def health(self) -> CameraHealth:
        """Tell how well the camera keeps up, on the world's clock."""
        if self._world is None:
            return CameraHealth(problem="it is not connected.")
        now = self._world.clock.now()
        return CameraHealth(
            fps=self._pace.fps(now),
            age_s=now - self._shots[-1][0] if self._shots else 0.0,
            reconnects=self._reconnects,
            problem="" if self._config.view not in self._world.unplugged else "it was unplugged.",
        )

    def _forget(self) -> None:
        self._shots: deque[Shot] = deque()
        self._pace = Pace()
        self._num_resets = self._reconnects = 0
        self._was_plugged = True

    def _joined(self) -> World:
        if self._world is None:
            raise CameraError(self._config.view, "it is not connected. Call connect() first.")
        return self._world

    def _is_plugged(self, world: World) -> bool:
        is_plugged = self._config.view not in world.unplugged
        self._reconnects += is_plugged and not self._was_plugged
        self._was_plugged = is_plugged
        return is_plugged

    def _take(self, world: World, now: float) -> None:
        """Draw the world as it is, unless the last picture is not old enough yet."""
        period_s = 1 / self._config.fps if self._config.fps else 0.0
        if self._shots and now - self._shots[-1][0] < period_s * _ALMOST:
            return
        config = self._config
        picture = world.render(config.view, config.height, config.width)
        if config.mark_frames:
            mark(picture, round(now / TIMESTEP_S))
        pictures = {COLOUR: picture}
        if config.use_depth:
            pictures[DEPTH] = world.render_depth(config.view, config.height, config.width)
        self._shots.append((now, pictures))
        self._pace.tick(now)

    def _arrived(self, now: float) -> Shot:
        """Give the newest shot that is old enough, or the oldest one there is; forget those before it."""
        while len(self._shots) > 1 and self._shots[1][0] <= now - self._config.latency_s * _ALMOST:
            self._shots.popleft()
        return self._shots[0]
