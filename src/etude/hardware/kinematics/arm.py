"""Where an arm's hand is for given joints, and which joints bring it somewhere."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from etude.core.errors import ConfigError, UserError
from etude.hardware.kinematics.model import ArmModel, Joints, compile_arm
from etude.hardware.kinematics.pose import FullPose, HandPose, Pose, rotation_of, rotation_vector
from etude.hardware.kinematics.shape import Shape
from etude.hardware.kinematics.starts import starts
from etude.hardware.kinematics.wrist import Wrist, wrist_of
from etude.hardware.physics import mujoco

# Errors are weighed by position [1/m] and orientation [1/rad]. Where no joints give both, 10 degrees cost 0.2 mm.
_TURN_WEIGHT = 0.01
_DAMPING, _MORE_CARE = 1e-6, 100.0
_CONVERGED_RAD = 1e-3
"""Steps shrink quadratically: after one this small the position is right to a micrometre."""
_LONGEST_STEP_RAD = 0.4
_NARROWEST = 1e-9
"""The solver wants some room even for a joint that may not move."""
_THERE_M, _THERE_RAD = 1e-3, 0.01


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Joints that come as near to a pose as the solver got."""

    joints: np.ndarray
    """(joint,) [rad], within the limits; those that move the tool."""
    error_m: float
    """How far from the wanted position the hand is."""
    error_rad: float
    """How far from the wanted pitch, or orientation, it is."""

    @property
    def is_there(self) -> bool:
        """Whether the pose is reached: within a millimetre and half a degree."""
        return self.error_m < _THERE_M and self.error_rad < _THERE_RAD


class Kinematics:
    """Forward and inverse kinematics of one tool of an arm, on a model of its own; not for two threads at once.

    Joints are in radians (sliding ones in metres), in the order of `joints`: first the `num_arm` that move the tool. Of
    an arm that turns, folds in a plane and rolls its hand, a `HandPose` can be had; of any other a `FullPose`.
    """

    def __init__(self, arm: ArmModel, *, limits: Mapping[str, tuple[float, float]] | None = None) -> None:
        """Work on `arm`, with narrower `limits` for some joints."""
        self.joints, self.num_arm = arm.joints, arm.num_arm
        self._arm, self._model, self._data = arm, arm.model, mujoco.MjData(arm.model)
        self._places, self._columns = _sliced(arm.places[: arm.num_arm]), _sliced(arm.dofs[: arm.num_arm])
        self.low, self.high = _limits(arm, limits or {})
        self._moves, self._turns = np.zeros((3, arm.model.nv)), np.zeros((3, arm.model.nv))
        self._solver = _BoundedSteps(arm.num_arm)

    @classmethod
    def of(
        cls,
        source: str | Path,
        *,
        tool: str | None = None,
        joints: Joints = None,
        limits: Mapping[str, tuple[float, float]] | None = None,
    ) -> Kinematics:
        """Read a known body by name, or a MJCF or URDF file by path; see `compile_arm`."""
        return cls(compile_arm(source, tool=tool, joints=joints), limits=limits)

    @cached_property
    def wrist(self) -> Wrist:
        """The axes of the hand."""
        return wrist_of(self._arm)

    def forward(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the tool's position (3,) [m] and rotation matrix (3, 3) for `joints` (joint,)."""
        self._place(joints)
        site = self._arm.site
        return self._data.site_xpos[site].copy(), self._data.site_xmat[site].reshape(3, 3).copy()

    def pose(self, joints: np.ndarray) -> Pose:
        """Give what the arm can choose of the tool's pose, for `joints`."""
        position, rotation = self.forward(joints)
        wrist, arm = self.wrist, joints[: self.num_arm]
        if wrist.pitch_joints is None:
            return FullPose(position=position, rotation=rotation, axes=wrist.axes)
        pitch = wrist.pitch_at_zero + float(wrist.pitch_joints @ arm)
        return HandPose(position=position, pitch=pitch, roll=float(arm[-1]), roll_sign=wrist.roll_sign)

    def pose_from(self, vector: np.ndarray) -> Pose:
        """Give the pose that `to_vector` of a pose describes."""
        wrist, place = self.wrist, vector[:3]
        if wrist.pitch_joints is None:
            return FullPose(position=place, rotation=rotation_of(vector[3:6]), axes=wrist.axes)
        return HandPose(position=place, pitch=float(vector[3]), roll=float(vector[4]), roll_sign=wrist.roll_sign)

    def inverse(self, pose: Pose, start: np.ndarray, *, iterations: int = 50) -> Solution:
        """Find joints for `pose`: from `start` and, where that ends in a dead end, from other postures.

        Position counts most: where both cannot be had, orientation gives way.
        """
        best = self.follow(pose, start, iterations=iterations)
        for other in starts(self, pose):
            if best.is_there:
                break
            best = min(best, self.follow(pose, other, iterations=iterations), key=_cost)
        return best

    def follow(self, pose: Pose, start: np.ndarray, *, iterations: int = 8, reach_rad: float = np.inf) -> Solution:
        """Like `inverse`, without leaving the posture of `start`: what a hand in motion needs.

        No joint goes further than `reach_rad` from `start`, unless it started outside of its limits.
        """
        begun = np.asarray(start[: self.num_arm], np.float64)
        low = np.clip(begun - reach_rad, self.low, self.high)
        high = np.clip(begun + reach_rad, self.low, self.high)
        joints = np.clip(begun, low, high)
        if isinstance(pose, HandPose):
            joints[-1] = np.clip(pose.roll, low[-1], high[-1])
        rows, error = self._linearise(pose, joints)
        damping, cost = _DAMPING, error @ error
        for _ in range(iterations):
            step = self._solver.step(rows, error, low - joints, high - joints, damping)
            there = np.minimum(np.maximum(joints + step, low), high)
            new_rows, new_error = self._linearise(pose, there)
            new_cost = new_error @ new_error
            if new_cost > cost:  # too far for a straight line to be true: go more carefully
                damping *= _MORE_CARE
            else:
                joints, rows, error, cost = there, new_rows, new_error, new_cost
                damping = max(damping / _MORE_CARE, _DAMPING)
            if max(map(abs, step.tolist())) < _CONVERGED_RAD:
                break
        away, turned = error[:3], error[3:]
        return Solution(
            joints=joints, error_m=math.sqrt(away @ away), error_rad=math.sqrt(turned @ turned) / _TURN_WEIGHT
        )

    def jacobian(self, joints: np.ndarray) -> np.ndarray:
        """Give the tool's linear and angular velocity per joint velocity (6, joint), for the joints that move it."""
        self._place(joints)
        self._differentiate()
        return np.vstack([self._moves[:, self._columns], self._turns[:, self._columns]])

    def gravity(self, joints: np.ndarray) -> np.ndarray:
        """Give the torques [Nm] that hold the whole arm still, at all its `joints`."""
        self._data.qpos[self._arm.places] = joints
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        torque = np.zeros(self._model.nv)
        mujoco.mj_rne(self._model, self._data, 0, torque)  # at rest, since this data's velocities are always zero
        return torque[self._arm.dofs]

    def lowest_point(self, joints: np.ndarray) -> float:
        """Give how high above the table the lowest point of the hand and the links is, at all the arm's `joints` [m].

        The table is the plane on which the base stands. Links that no joint lifts are left out. Boxes are exact; round
        shapes and meshes count as the boxes around them, so the truth is never lower.
        """
        self._data.qpos[self._arm.places] = joints
        mujoco.mj_kinematics(self._model, self._data)
        return self._shape.lowest(self._data)

    @cached_property
    def _shape(self) -> Shape:
        if not self._arm.has_shape:
            raise UserError(f"How low {self._arm.name} reaches cannot be told: it names meshes that are not beside it.")
        return Shape(self._arm)

    def _place(self, joints: np.ndarray) -> None:
        self._data.qpos[self._places] = joints[: self.num_arm]
        mujoco.mj_kinematics(self._model, self._data)

    def _differentiate(self) -> None:
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_jacSite(self._model, self._data, self._moves, self._turns, self._arm.site)

    def _linearise(self, pose: Pose, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the weighted Jacobian and error of position and of what can be had of the orientation."""
        self._place(joints)
        self._differentiate()
        moves, away = self._moves[:, self._columns], pose.position - self._data.site_xpos[self._arm.site]
        if isinstance(pose, FullPose):
            turned = rotation_vector(pose.rotation @ self._data.site_xmat[self._arm.site].reshape(3, 3).T)
            rows = np.vstack([moves, _TURN_WEIGHT * self._turns[:, self._columns]])
            return rows, np.append(away, _TURN_WEIGHT * turned)
        signs = self.wrist.pitch_joints
        if signs is None:
            raise ConfigError(f"{self._arm.name} does not fold in a plane: ask for a FullPose instead of a HandPose.")
        rows, error = np.empty((4, self.num_arm)), np.empty(4)
        rows[:3] = moves
        rows[3] = _TURN_WEIGHT * signs
        rows[:, -1] = 0  # roll is a joint of its own
        error[:3], error[3] = away, _TURN_WEIGHT * (pose.pitch - self.wrist.pitch_at_zero - signs @ joints)
        return rows, error


def _limits(arm: ArmModel, narrower: Mapping[str, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    rows = [narrower.get(name, (-np.inf, np.inf)) for name in arm.joints[: arm.num_arm]]
    low, high = np.array(rows).T
    return np.maximum(arm.low[: arm.num_arm], low), np.minimum(arm.high[: arm.num_arm], high)


def _sliced(indices: np.ndarray) -> np.ndarray | slice:
    """Give the slice that picks the same as `indices` where there is one, which numpy takes several times faster."""
    first = int(indices[0])
    is_run = bool(np.array_equal(indices, np.arange(first, first + len(indices))))
    return slice(first, first + len(indices)) if is_run else indices


def _cost(found: Solution) -> float:
    return found.error_m + _TURN_WEIGHT * found.error_rad


class _BoundedSteps:
    """Solves damped least squares steps for some joints; what it works on is made once."""

    def __init__(self, num: int) -> None:
        self._eye, self._found = np.eye(num), np.zeros(num)
        self._factor, self._free = np.zeros((num, num + 7)), np.zeros(num, np.int32)

    def step(
        self, rows: np.ndarray, error: np.ndarray, low: np.ndarray, high: np.ndarray, damping: float
    ) -> np.ndarray:
        """Give the step (joint,) that lessens `error` most, whose joints stay between `low` and `high`."""
        found = self._found
        found[:] = 0.0
        low, high = np.maximum(low, -_LONGEST_STEP_RAD), np.minimum(high, _LONGEST_STEP_RAD)
        high = np.maximum(high, low + _NARROWEST)
        square, pull = rows.T @ rows + damping * self._eye, -(error @ rows)
        mujoco.mju_boxQP(found, self._factor, self._free, square, pull, low, high)
        return found
