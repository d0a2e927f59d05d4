"""What a phone's motion means for a hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etude.hardware.teleoperators.steps import HAND_AXES

LONGEST_JUMP_M, LONGEST_TURN_RAD = 0.05, math.radians(35)
"""Further than this no hand moves a phone between two of its messages: tracking was lost and found again elsewhere."""
STALE_S = 0.3
"""After a longer silence a pose is a new beginning, and nothing counts as pushed."""
_TO_ARM = np.array([[0.0, 0, -1], [-1, 0, 0], [0, 1, 0]])
"""WebXR has x to the right, y up and z backward; the arm x forward, y left and z up."""


@dataclass(frozen=True, kw_only=True)
class PhonePose:
    """Where the phone is, in the room's frame, in the arm's axes."""

    position: np.ndarray
    """(3,) [m]."""
    rotation: np.ndarray
    """(3, 3) from the phone's own axes (x right, y to its top edge, z out of its screen)."""

    @classmethod
    def from_message(cls, data: Mapping[str, Mapping[str, float]]) -> PhonePose:
        """Read the pose of a WebXR viewer; raise `ValueError` or `KeyError` when it is none."""
        position = np.array([float(data["position"][axis]) for axis in "xyz"])
        quaternion = np.array([float(data["orientation"][axis]) for axis in "wxyz"])
        length = float(np.linalg.norm(quaternion))
        if not np.isfinite(position).all() or not 0.5 < length < 2:
            raise ValueError("this is no pose")
        return cls(position=_TO_ARM @ position, rotation=_TO_ARM @ _rotation(quaternion / length))

    @property
    def heading(self) -> np.ndarray:
        """(3, 3) level axes; x points where the phone does: its back when it stands, its top edge when it lies."""
        pointing = self.rotation[:, 1] - self.rotation[:, 2]
        yaw = math.atan2(pointing[1], pointing[0])
        return np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])


class Motion:
    """Adds up how a phone moves while its `move` is pressed, until somebody takes it."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._last: PhonePose | None = None
        self._last_s = -math.inf
        self._heading = np.eye(3)
        self._moved, self._turned = np.zeros(3), np.zeros(3)
        self.jumps = 0
        """How many poses were refused, since they were too far from the last."""

    def see(self, pose: PhonePose, *, is_moving: bool, now: float) -> None:
        """Take note of a pose at the time `now` [s]; what lies before a press, a silence or a jump does not count."""
        last, is_new = self._last, now - self._last_s > STALE_S
        self._last, self._last_s = pose if is_moving else None, now
        if last is None or is_new or not is_moving:
            self._heading = pose.heading
            return
        moved, turned = pose.position - last.position, _turn(pose.rotation @ last.rotation.T)
        if np.linalg.norm(moved) > LONGEST_JUMP_M or np.linalg.norm(turned) > LONGEST_TURN_RAD:
            self.jumps += 1
            return
        self._moved += self._heading.T @ moved
        self._turned += self._heading.T @ turned

    def forget(self) -> None:
        """Begin anew."""
        self._last = None
        self._moved, self._turned = np.zeros(3), np.zeros(3)

    def take(self) -> dict[str, float]:
        """Give how far the hand should move since the last time [m, rad], never further than one jump."""
        moved, turned = _shortened(self._moved, LONGEST_JUMP_M), _shortened(self._turned, LONGEST_TURN_RAD)
        self._moved, self._turned = np.zeros(3), np.zeros(3)
        roll, pitch = turned[0], turned[1]
        values = (*(self._scale * moved), pitch, roll)
        return {f"hand.{axis}": float(value) for axis, value in zip(HAND_AXES, values, strict=True)}


def _rotation(quaternion: np.ndarray) -> np.ndarray:
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _turn(rotation: np.ndarray) -> np.ndarray:
    """Give the rotation vector (3,) of a small turn [rad]; a large one comes out large enough to be refused."""
    (_, b, c), (d, _, f), (g, h, _) = rotation
    twice_sine = np.array([h - f, c - g, d - b])
    sine, cosine = float(np.linalg.norm(twice_sine)) / 2, (float(np.trace(rotation)) - 1) / 2
    angle = math.atan2(sine, cosine)
    return twice_sine / 2 * (angle / sine) if sine > 1e-9 else np.array([angle, 0.0, 0.0])


def _shortened(vector: np.ndarray, longest: float) -> np.ndarray:
    return vector * min(1.0, longest / max(float(np.linalg.norm(vector)), 1e-9))
