"""How an arm of five joints is built: it turns about the vertical, folds in a plane, and rolls its hand."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etude.hardware.kinematics.model import ArmModel
from etude.hardware.physics import mujoco

_PARALLEL = 0.999
_UP = np.array([0.0, 0.0, 1.0])
NUM_JOINTS = 5


@dataclass(frozen=True, kw_only=True)
class Wrist:
    """The axes of a hand, and, where the arm folds in a plane, the joints whose sum is its pitch."""

    pitch_joints: np.ndarray | None
    """(joint,) 1 or -1 for the joints about parallel level axes; none when the arm does not fold in a plane."""
    pitch_at_zero: float
    """[rad]"""
    axes: np.ndarray
    """(2, 3) the axes of pitch and roll in the tool's frame."""
    roll_sign: float
    """-1 where the last joint turns counterclockwise, as seen from behind the hand."""
    pan_axis: np.ndarray
    """(2,) where the first joint stands on the table [m]."""
    pan_sign: float
    """1 where that joint turns counterclockwise, as seen from above."""
    pan_at_zero: float
    """[rad] Where the arm faces then, counterclockwise from x."""

    def pans(self, position: np.ndarray) -> list[float]:
        """Give the angles of the first joint at which the arm faces `position`, or has its back to it."""
        away = position[:2] - self.pan_axis
        ahead = self.pan_sign * (float(np.arctan2(away[1], away[0])) - self.pan_at_zero)
        return [(ahead + turn + np.pi) % (2 * np.pi) - np.pi for turn in (0, np.pi)]


def wrist_of(arm: ArmModel) -> Wrist:
    """Look at the arm with all its joints at zero."""
    data = mujoco.MjData(arm.model)
    mujoco.mj_kinematics(arm.model, data)
    rows = [int(np.flatnonzero(arm.model.jnt_dofadr == dof)[0]) for dof in arm.dofs[: arm.num_arm]]
    axes, anchors = data.xaxis[rows].copy(), data.xanchor[rows].copy()
    tool, frame = data.site_xpos[arm.site], data.site_xmat[arm.site].reshape(3, 3)
    roll_sign = 1.0 if axes[-1] @ (tool - anchors[-1]) >= 0 else -1.0
    pointing = roll_sign * axes[-1]
    level = _level(axes)
    forward = np.cross(level, _UP)
    if forward @ (tool - anchors[0]) < 0:
        level, forward = -level, -forward
    turns = axes @ level
    is_planar = len(rows) == NUM_JOINTS and _is_planar(axes, turns)
    return Wrist(
        pitch_joints=np.where(np.abs(turns) > _PARALLEL, np.round(turns), 0.0) if is_planar else None,
        pitch_at_zero=_tidy(float(np.arctan2(-pointing[2], pointing @ forward))),
        axes=np.array([level @ frame, pointing @ frame]),
        roll_sign=roll_sign,
        pan_axis=anchors[0, :2],
        pan_sign=float(np.sign(axes[0, 2])),
        pan_at_zero=float(np.arctan2(forward[1], forward[0])),
    )


def _level(axes: np.ndarray) -> np.ndarray:
    """Give the first level axis, or y where there is none."""
    for axis in axes:
        if abs(axis[2]) < 1 - _PARALLEL:
            return axis / np.linalg.norm(axis)
    return np.array([0.0, 1.0, 0.0])


def _is_planar(axes: np.ndarray, turns: np.ndarray) -> bool:
    """Whether the first joint stands upright, the last one rolls, and those between are parallel and level."""
    is_upright, is_roll = abs(axes[0] @ _UP) > _PARALLEL, abs(turns[-1]) < 1 - _PARALLEL
    return bool(is_upright and is_roll and np.all(np.abs(turns[1:-1]) > _PARALLEL))


def _tidy(angle: float) -> float:
    return 0.0 if abs(angle) < 1e-4 else angle
