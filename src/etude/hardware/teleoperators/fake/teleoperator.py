"""A demonstration that needs no person."""

from __future__ import annotations

import numpy as np

from etude.core.errors import DeviceError
from etude.core.spec import Spec
from etude.hardware.teleoperators.fake.config import Config


def build(config: Config) -> FakeTeleoperator:
    """Make the teleoperator; it is not connected yet."""
    return FakeTeleoperator(config)


class FakeTeleoperator:
    """Swings every joint about zero in a wave of its own, for a number of ticks."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.action = Spec(shape=(config.num_joints,), names=tuple(f"joint_{i}.pos" for i in range(config.num_joints)))
        self._swings: np.ndarray | None = None
        self._tick = 0

    def connect(self) -> None:
        """Get ready for episode 0."""
        if self._swings is None:
            self._prepare(0)

    def disconnect(self) -> None:
        """Forget the waves."""
        self._swings = None

    def reset(self, seed: int) -> None:
        """Choose new waves by `seed`, and begin again."""
        self._connected()
        self._prepare(seed)

    def read(self) -> np.ndarray | None:
        """Give the next action, or none when the demonstration is over."""
        swings = self._connected()
        if self._tick == self._config.num_ticks:
            return None
        self._tick += 1
        share = self._tick / self._config.num_ticks
        return (self._config.amplitude * np.sin(2 * np.pi * swings * share)).astype(np.float32)

    def _prepare(self, seed: int) -> None:
        rng = np.random.default_rng([self._config.seed, seed])
        self._swings, self._tick = rng.uniform(0.5, 1.5, self._config.num_joints), 0

    def _connected(self) -> np.ndarray:
        if self._swings is None:
            raise DeviceError("The fake teleoperator is not connected. Call connect() first.")
        return self._swings
