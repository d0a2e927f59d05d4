"""What can be asked of a hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, kw_only=True)
class HandPose:
    """What five joints can choose of the hand's pose: its place, how steeply it points, and how it is rolled."""

    position: np.ndarray
    """(3,) [m], in the base frame: x forward, z up."""
    pitch: float
    """[rad] 0 points forward, pi/2 straight down."""
    roll: float = 0.0
    """[rad] The wrist roll joint; for an SO-101 at 0 the fingers open in the arm's plane."""
    roll_sign: float = 1.0
    """-1 where that joint turns counterclockwise, as seen from behind the hand."""

    def moved(self, by: np.ndarray, *, pitch: float = 0.0, roll: float = 0.0) -> HandPose:
        """Give the pose `by` (3,) [m] further in the base frame, lowered by `pitch` and turned clockwise by `roll`."""
        turned = self.roll + self.roll_sign * roll
        return replace(self, position=self.position + by, pitch=self.pitch + pitch, roll=turned)

    def to_vector(self) -> np.ndarray:
        """Give x y z pitch roll."""
        return np.array([*self.position, self.pitch, self.roll])


@dataclass(frozen=True, kw_only=True)
class FullPose:
    """A hand's place and its whole orientation: what six joints or more can choose."""

    position: np.ndarray
    """(3,) [m], in the base frame."""
    rotation: np.ndarray
    """(3, 3) rotation matrix."""
    axes: np.ndarray
    """(2, 3) the hand's own axes, in its frame, about which pitch and roll turn it."""

    def moved(self, by: np.ndarray, *, pitch: float = 0.0, roll: float = 0.0) -> FullPose:
        """Give the pose `by` (3,) [m] further in the base frame, turned about its own axes by `pitch` and `roll`."""
        turn = rotation_of(pitch * self.axes[0]) @ rotation_of(roll * self.axes[1])
        return replace(self, position=self.position + by, rotation=self.rotation @ turn)

    def to_vector(self) -> np.ndarray:
        """Give x y z and the rotation vector."""
        return np.concatenate([self.position, rotation_vector(self.rotation)])


Pose = HandPose | FullPose


def rotation_of(vector: np.ndarray) -> np.ndarray:
    """Give the matrix (3, 3) of a rotation vector (3,) [rad]."""
    angle = float(np.linalg.norm(vector))
    x, y, z = vector / angle if angle else vector
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotation_vector(rotation: np.ndarray) -> np.ndarray:
    """Give the rotation vector (3,) of a matrix (3, 3), with an angle of 0 to pi [rad]."""
    w, *xyz = _quaternion(rotation)
    sine = float(np.linalg.norm(xyz))
    return np.array(xyz) * (2 * np.arctan2(sine, w) / sine if sine > 1e-12 else 2.0)


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """Give w x y z with w >= 0: the eigenvector of Bar-Itzhack's matrix, which is exact for every angle."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    quaternion = np.linalg.eigh(matrix)[1][:, -1]
    return quaternion if quaternion[0] >= 0 else -quaternion
