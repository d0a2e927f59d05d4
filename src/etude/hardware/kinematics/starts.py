"""Postures to try where one ends in a dead end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from etude.hardware.kinematics.pose import HandPose, Pose

if TYPE_CHECKING:
    from etude.hardware.kinematics.arm import Kinematics

NUM_STARTS = 16


def starts(arm: Kinematics, pose: Pose) -> Iterator[np.ndarray]:
    """Yield starting joints that are spread over the limits; those of a planar arm face the pose and have its pitch."""
    low, high = np.clip(arm.low, -np.pi, np.pi), np.clip(arm.high, -np.pi, np.pi)
    for share in _spread(arm.num_arm):
        joints = low + share * (high - low)
        yield from _facing(arm, pose, joints) if isinstance(pose, HandPose) else [joints]


@cache
def _spread(num: int) -> np.ndarray:
    """Give points (start, num) of the unit cube that fill it evenly: Roberts' R sequence, the middle first."""
    phi = 2.0
    for _ in range(30):
        phi = (1 + phi) ** (1 / (num + 1))
    steps = phi ** -np.arange(1, num + 1)
    return (0.5 + np.arange(NUM_STARTS)[:, None] * steps) % 1


def _facing(arm: Kinematics, pose: HandPose, joints: np.ndarray) -> Iterator[np.ndarray]:
    """Turn the arm towards the pose, or its back to it, and let the last joint that bends give the pitch."""
    signs = arm.wrist.pitch_joints
    assert signs is not None
    last = int(np.flatnonzero(signs)[-1])
    joints[-1] = pose.roll
    joints[last] += signs[last] * (pose.pitch - arm.wrist.pitch_at_zero - signs @ joints)
    for pan in arm.wrist.pans(pose.position):
        if arm.low[0] <= pan <= arm.high[0]:
            yield np.array([pan, *joints[1:]])
