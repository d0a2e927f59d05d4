"""A camera that draws this process's world."""

from __future__ import annotations

import numpy as np

from etude.core.errors import CameraError, DeviceError
from etude.core.spec import Spec
from etude.hardware.device import Camera
from etude.sim.cameras.sim.config import Config
from etude.sim.world import World, shared_world


def build(config: Config) -> Camera:
    """Make the camera; the world begins when it connects."""
    return SimCamera(config)


class SimCamera:
    """Draws one view of the world as it is at the moment of reading."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.spec = Spec(shape=(config.height, config.width, 3), dtype="uint8", names=("height", "width", "channels"))
        self._world: World | None = None

    def connect(self) -> None:
        """Join the world; raise `DeviceError` when this machine cannot draw."""
        if self._world is not None:
            return
        self._world = shared_world()
        try:
            self.read()
        except DeviceError:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Leave the world."""
        self._world = None

    def read(self) -> np.ndarray:
        """Draw the picture."""
        if self._world is None:
            raise CameraError(self._config.view, "it is not connected. Call connect() first.")
        return self._world.render(self._config.view, self._config.height, self._config.width)

    @property
    def taken_at(self) -> float:
        """The world's time: a picture shows the moment of reading [s]."""
        return self._world.clock.now() if self._world else 0.0
