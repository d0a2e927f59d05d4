"""Moves a hand by small steps, through the joints that bring it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from etude.hardware.teleoperators.steps import HAND_AXES

if TYPE_CHECKING:
    from etude.hardware.kinematics import Kinematics, Pose


LONGEST_STEP_RAD = 0.15
"""No joint goes further than this in one tick, however far the hand is asked to go."""
_EXACT_M, _EXACT_RAD = 1e-3, 0.02
"""Where a pose is reached this well, the hand goes on from what was asked for, else from where it got."""


class HandMover:
    """Moves the hand of one arm whose joints are told in degrees."""

    def __init__(self, arm: Kinematics, columns: Mapping[str, int], joints: Sequence[int]) -> None:
        """Take the steps in `columns` by axis, and move `joints` of the robot's action, which are those of `arm`."""
        self._arm, self._columns, self._joints = arm, columns, list(joints)
        self._pose: Pose | None = None

    def move(self, goal: np.ndarray, steps: np.ndarray) -> None:
        """Move the joints in `goal` so that the hand takes its step, as far as it can."""
        step = np.array([steps[self._columns[axis]] if axis in self._columns else 0.0 for axis in HAND_AXES])
        if not step.any():
            return
        start = np.radians(goal[self._joints])
        pose = (self._pose or self._arm.pose(start)).moved(step[:3], pitch=step[3], roll=step[4])
        found = self._arm.follow(pose, start, reach_rad=LONGEST_STEP_RAD)
        # An arm that stands beyond its limits returns as slowly.
        joints = np.clip(found.joints, start - LONGEST_STEP_RAD, start + LONGEST_STEP_RAD)
        is_there = found.error_m < _EXACT_M and found.error_rad < _EXACT_RAD and np.array_equal(joints, found.joints)
        self._pose = pose if is_there else self._arm.pose(joints)
        goal[self._joints] = np.degrees(joints)

    def forget(self) -> None:
        """Start from where the joints are at the next move."""
        self._pose = None
