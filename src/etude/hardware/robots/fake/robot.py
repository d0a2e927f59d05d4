"""A robot that needs no hardware."""

from __future__ import annotations

import numpy as np

from etude.core.errors import DeviceError
from etude.core.frame import ACTION, STATE, Frame
from etude.core.spec import Spec, Specs
from etude.hardware import cameras
from etude.hardware.cameras.camera_set import CameraSet
from etude.hardware.health import Health
from etude.hardware.robots.fake.config import Config


def build(config: Config) -> FakeRobot:
    """Make the robot; it is not connected yet."""
    return FakeRobot(config)


class FakeRobot:
    """Joints that go a share of the way to their goals with every action."""

    name = "fake"
    scene = None

    def __init__(self, config: Config) -> None:
        self._config = config
        chosen = config.cameras or {"front": cameras.config("fake").tiny()}
        self._cameras = CameraSet(chosen)
        self.action = Spec(shape=(config.num_joints,), names=tuple(f"joint_{i}.pos" for i in range(config.num_joints)))
        self.observation: Specs = {STATE: self.action, **self._cameras.specs}
        self.camera_times: dict[str, float] = {}
        self.clipped: tuple[str, ...] = ()
        self.events: tuple[str, ...] = ()
        self._joints: np.ndarray | None = None

    def connect(self) -> None:
        """Put the joints where the seed says."""
        if self._joints is not None:
            return
        self._cameras.connect()
        start = np.random.default_rng(self._config.seed).uniform(-0.1, 0.1, self._config.num_joints)
        self._joints = (start * self._config.limit).astype(np.float32)

    def disconnect(self) -> None:
        """Forget the joints."""
        self._joints = None
        self._cameras.disconnect()

    def observe(self) -> Frame:
        """Give the joints and the pictures."""
        joints = self._connected().copy()
        pictures = self._cameras.read()
        self.camera_times = self._cameras.times
        return {STATE: joints} | pictures

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Move towards `action`, clamped to the limit; give back what was commanded."""
        joints = self._connected()
        self.action.check(ACTION, action)
        wanted = np.where(np.isfinite(action), action, joints)
        goal = np.clip(wanted, -self._config.limit, self._config.limit).astype(np.float32)
        self._joints = joints + np.float32(self._config.follow) * (goal - joints)
        changed = np.flatnonzero(goal != action)
        self.clipped = tuple(f"{self.action.names[joint]} is beyond its limits" for joint in changed)
        return goal

    def health(self) -> Health:
        """Tell how the cameras are; the joints are always well."""
        return Health(cameras=self._cameras.health())

    def _connected(self) -> np.ndarray:
        if self._joints is None:
            raise DeviceError("The fake robot is not connected. Call connect() first.")
        return self._joints
