"""The units that arms are driven in, and radians."""

from __future__ import annotations

import numpy as np

from etude.hardware.bodies.body import Body

OPEN = 100.0
"""A gripper is told in 0 (closed) to 100 (open) of its range."""


class DriverUnits:
    """Converts between what a driver speaks, degrees and for the gripper 0 to 100, and radians."""

    def __init__(self, body: Body, gripper: str | None = "gripper") -> None:
        """Know `body`'s joints; the one called `gripper` is told in shares of its range."""
        ranges = [link.range_rad if link.joint == gripper else (0.0, 0.0) for link in body.links]
        self._zero, top = np.array(ranges).T
        self._scale = np.where(top > self._zero, (top - self._zero) / OPEN, np.pi / 180)

    def to_rad(self, values: np.ndarray) -> np.ndarray:
        """Give (..., joint) in radians, for the first joints of the body if there are fewer."""
        count = values.shape[-1]
        return self._zero[:count] + values * self._scale[:count]

    def from_rad(self, joints: np.ndarray) -> np.ndarray:
        """Give joints (..., joint) [rad] in the driver's units."""
        count = joints.shape[-1]
        return (joints - self._zero[:count]) / self._scale[:count]
