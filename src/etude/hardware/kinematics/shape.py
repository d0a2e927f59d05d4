"""How low an arm reaches."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from typing import Any

import numpy as np

from etude.core.errors import UserError
from etude.hardware.kinematics.model import ArmModel
from etude.hardware.physics import mujoco

_NUM_POSTURES = 16
_MOVES_M = 1e-3


class Shape:
    """The boxes around those parts of an arm that a joint can lift or lower."""

    def __init__(self, arm: ArmModel) -> None:
        self._parts = _lifted(arm)
        if not len(self._parts):
            raise UserError(f"How low {arm.name} reaches cannot be told: its links have no shape.")
        self._centers, self._halves = arm.model.geom_aabb[self._parts].reshape(-1, 2, 3).transpose(1, 0, 2).copy()

    def lowest(self, data: Any) -> float:
        """Give the height of the lowest corner, for a MuJoCo data whose frames are up to date [m]."""
        up = data.geom_xmat[self._parts, 6:]
        return float((data.geom_xpos[self._parts, 2] + (up * self._centers - np.abs(up) * self._halves).sum(1)).min())


def _lifted(arm: ArmModel) -> np.ndarray:
    """Find the shapes whose height is not the same in every posture."""
    rng, data = np.random.default_rng(0), mujoco.MjData(arm.model)
    low, high = np.clip(arm.low, -np.pi, None), np.clip(arm.high, None, np.pi)
    heights = []
    for _ in range(_NUM_POSTURES):
        data.qpos[arm.places] = rng.uniform(low, high)
        mujoco.mj_kinematics(arm.model, data)
        heights.append(np.append(data.geom_xpos[:, 2:], data.geom_xmat[:, 6:], axis=1))
    return np.flatnonzero(np.ptp(heights, axis=0).max(1) > _MOVES_M)
