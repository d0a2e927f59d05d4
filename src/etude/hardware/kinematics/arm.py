"""Where the SO-101's hand is for given joints, and which joints bring it somewhere."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from etude.hardware.bodies.mjcf import add_arm
from etude.hardware.bodies.so101 import SO101
from etude.hardware.physics import mujoco

NUM_JOINTS = 5
"""The arm without its gripper."""
PITCH_JOINTS = np.array([0.0, 1.0, 1.0, 1.0, 0.0])
"""Shoulder lift, elbow and wrist flex turn about parallel axes, so the hand's pitch is their sum."""

_LOW, _HIGH = np.array([link.range_rad for link in SO101.links[:NUM_JOINTS]]).T
_ELBOW, _ROLL = 2, 4
_ALMOST_STRAIGHT_RAD = -1.1
"""The elbow's angle just before the arm is straight, at -1.29: the elbow sits 28 mm beside the upper arm's axis."""
# Weights of position [1/m] and pitch [1/rad]. Where no joints give both, 10 degrees of pitch cost 0.2 mm.
_PITCH_WEIGHT = 0.01
_DAMPING = 1e-6
_CONVERGED_RAD = 1e-3
"""Steps shrink quadratically: after one this small the position is right to a micrometre."""
_LONGEST_STEP_RAD = 0.4


@dataclass(frozen=True, kw_only=True)
class HandPose:
    """What five joints can choose of the hand's pose: its place, how steeply it points, and how it is rolled."""

    position: np.ndarray
    """(3,) [m], in the base frame: x forward, z up."""
    pitch: float
    """[rad] 0 points forward, pi/2 straight down."""
    roll: float = 0.0
    """[rad] The wrist roll joint; at 0 the fingers open in the arm's plane."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Joints that come as near to a pose as the solver got."""

    joints: np.ndarray
    """(5,) [rad], within the limits."""
    error_m: float
    """How far from the wanted position the hand is."""
    pitch_error_rad: float


class Kinematics:
    """Forward and inverse kinematics of one site of the arm, on a model of its own."""

    def __init__(self, site: str = "gripperframe", *, elbow_up: bool = False) -> None:
        """Place `site`; with `elbow_up`, no solution stretches the arm so far that it could bend over."""
        spec = mujoco.MjSpec()
        spec.compiler.degree = False
        add_arm(spec)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._site = self._model.site(site).id
        self._jacobian = np.zeros((3, self._model.nv))
        self._low = np.where(elbow_up & (np.arange(NUM_JOINTS) == _ELBOW), _ALMOST_STRAIGHT_RAD, _LOW)

    def forward(self, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the site's position (3,) [m] and rotation matrix (3, 3) for `joints` (5,) [rad]."""
        self._place(joints)
        return self._data.site_xpos[self._site].copy(), self._data.site_xmat[self._site].reshape(3, 3).copy()

    def inverse(self, pose: HandPose, start: np.ndarray, *, iterations: int = 50) -> Solution:
        """Find joints for `pose`: from `start` (5,) and, where that ends in a dead end, from other postures.

        Position counts most: where both cannot be had, pitch gives way. Damped least squares within the joint limits.
        """
        best = self.follow(pose, start, iterations=iterations)
        for other in _postures(pose):
            if best.error_m < 1e-3:
                break
            best = min(best, self.follow(pose, other, iterations=iterations), key=lambda found: found.error_m)
        return best

    def follow(self, pose: HandPose, start: np.ndarray, *, iterations: int = 8) -> Solution:
        """Like `inverse`, without leaving the posture of `start`: what a hand in motion needs."""
        joints = np.clip(start[:NUM_JOINTS], self._low, _HIGH)
        joints[_ROLL] = np.clip(pose.roll, _LOW[_ROLL], _HIGH[_ROLL])
        for _ in range(iterations):
            rows, error = self._linearise(pose, joints)
            step = _bounded_step(rows, error, self._low - joints, _HIGH - joints)
            joints = joints + step
            if np.abs(step).max() < _CONVERGED_RAD:
                break
        _, error = self._linearise(pose, joints)
        return Solution(
            joints=joints,
            error_m=float(np.linalg.norm(error[:3])),
            pitch_error_rad=float(abs(error[3]) / _PITCH_WEIGHT),
        )

    def gravity(self, joints: np.ndarray) -> np.ndarray:
        """Give the torques (6,) [Nm] that hold the whole arm still at `joints` (6,) [rad]."""
        self._data.qpos[:] = joints
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        torque = np.zeros(self._model.nv)
        mujoco.mj_rne(self._model, self._data, 0, torque)  # at rest, since this data's velocities are always zero
        return torque

    def _place(self, joints: np.ndarray) -> None:
        self._data.qpos[:NUM_JOINTS] = joints[:NUM_JOINTS]
        mujoco.mj_kinematics(self._model, self._data)

    def _linearise(self, pose: HandPose, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the weighted Jacobian (4, 5) and error (4,) of position and pitch; roll is a joint of its own."""
        self._place(joints)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_jacSite(self._model, self._data, self._jacobian, None, self._site)
        rows = np.vstack([self._jacobian[:, :NUM_JOINTS], _PITCH_WEIGHT * PITCH_JOINTS])
        rows[:, _ROLL] = 0
        pitch_error = _PITCH_WEIGHT * (pose.pitch - PITCH_JOINTS @ joints)
        return rows, np.append(pose.position - self._data.site_xpos[self._site], pitch_error)


def _bounded_step(rows: np.ndarray, error: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Solve the damped least squares step whose joints stay between `low` and `high`."""
    step, factor = np.zeros(NUM_JOINTS), np.zeros((NUM_JOINTS, NUM_JOINTS + 7))
    free = np.zeros(NUM_JOINTS, np.int32)
    square = rows.T @ rows + _DAMPING * np.eye(NUM_JOINTS)
    low, high = np.maximum(low, -_LONGEST_STEP_RAD), np.minimum(high, _LONGEST_STEP_RAD)
    mujoco.mju_boxQP(step, factor, free, square, -rows.T @ error, low, high)
    return step


def _postures(pose: HandPose) -> list[np.ndarray]:
    """Give starting joints: elbow folded, stretched and high, facing `pose` and with the back to it."""
    ahead = -np.arctan2(pose.position[1], pose.position[0] - SO101.links[0].pos[0])
    pans = [pan for pan in (ahead, ahead + np.pi, ahead - np.pi) if _LOW[0] <= pan <= _HIGH[0]]
    bends = ((-0.8, 0.8), (0.3, 0.2), (0.6, -0.9), (-1.2, 1.4))
    return [np.array([pan, lift, elbow, pose.pitch - lift - elbow, pose.roll]) for pan in pans for lift, elbow in bends]
