"""A robot that needs no hardware."""

from __future__ import annotations

import numpy as np

from etude.core.errors import DeviceError
from etude.core.frame import ACTION, IMAGES, STATE, Frame
from etude.core.spec import Spec, Specs
from etude.hardware import cameras
from etude.hardware.device import Camera
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
        self._cameras: dict[str, Camera] = {name: cameras.build(camera) for name, camera in chosen.items()}
        self.action = Spec(shape=(config.num_joints,), names=tuple(f"joint_{i}.pos" for i in range(config.num_joints)))
        pictures = {IMAGES + name: camera.spec for name, camera in self._cameras.items()}
        self.observation: Specs = {STATE: self.action} | pictures
        self.camera_times: dict[str, float] = {}
        self._joints: np.ndarray | None = None

    def connect(self) -> None:
        """Put the joints where the seed says."""
        if self._joints is not None:
            return
        for camera in self._cameras.values():
            camera.connect()
        start = np.random.default_rng(self._config.seed).uniform(-0.1, 0.1, self._config.num_joints)
        self._joints = (start * self._config.limit).astype(np.float32)

    def disconnect(self) -> None:
        """Forget the joints."""
        self._joints = None
        for camera in self._cameras.values():
            camera.disconnect()

    def observe(self) -> Frame:
        """Give the joints and the pictures."""
        joints = self._connected().copy()
        pictures = {IMAGES + name: camera.read() for name, camera in self._cameras.items()}
        self.camera_times = {IMAGES + name: camera.taken_at for name, camera in self._cameras.items()}
        return {STATE: joints} | pictures

    def apply(self, action: np.ndarray) -> np.ndarray:
        """Move towards `action`, clamped to the limit; give back what was commanded."""
        joints = self._connected()
        self.action.check(ACTION, action)
        wanted = np.where(np.isfinite(action), action, joints)
        goal = np.clip(wanted, -self._config.limit, self._config.limit).astype(np.float32)
        self._joints = joints + np.float32(self._config.follow) * (goal - joints)
        return goal

    def _connected(self) -> np.ndarray:
        if self._joints is None:
            raise DeviceError("The fake robot is not connected. Call connect() first.")
        return self._joints
