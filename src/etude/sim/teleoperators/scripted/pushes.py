"""Somebody who pushes the arm about while it works.

DART (Laskey et al., 2017) adds noise to the commands that are executed and records those that were meant. To a servo,
an angle added to its command is a torque on its joint: pushing the arm does the same, and every record stays true.
"""

from __future__ import annotations

import numpy as np

from etude.hardware.bodies.so101 import SO101

NUM_JOINTS = len(SO101.joints) - 1
"""The gripper is not pushed about."""
REVERSION_PER_S = 6.0
_SPREAD_RAD = (0.05, 0.12)
_BURST_S = (0.3, 0.8)
_PAUSE_S = (0.2, 1.2)


class Pushes:
    """Bursts of Ornstein-Uhlenbeck noise, with pauses."""

    def __init__(self, rng: np.random.Generator, strength: float, num_joints: int = NUM_JOINTS) -> None:
        self._rng, self._strength = rng, strength
        self._noise = np.zeros(num_joints)
        self._spread = 0.0
        self._until_s = rng.uniform(*_PAUSE_S)

    def at(self, now_s: float, elapsed_s: float) -> np.ndarray:
        """Give how far the arm's joints are pushed aside now, `elapsed_s` after the last time [rad]."""
        if now_s >= self._until_s:
            self._turn(now_s)
        decay = np.exp(-REVERSION_PER_S * elapsed_s)
        kick = self._spread * np.sqrt(1 - decay**2) * self._rng.standard_normal(len(self._noise))
        self._noise = decay * self._noise + kick
        return self._noise

    def _turn(self, now_s: float) -> None:
        """Begin a burst, or end one."""
        is_pause = self._spread > 0
        self._spread = 0.0 if is_pause else self._strength * self._rng.uniform(*_SPREAD_RAD)
        self._until_s = now_s + self._rng.uniform(*(_PAUSE_S if is_pause else _BURST_S))
