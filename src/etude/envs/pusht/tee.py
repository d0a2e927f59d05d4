"""The T of PushT: its shape, where it is, and how far from it things are; in pixels of the 512 x 512 field."""

from __future__ import annotations

import math

import numpy as np

GOAL = (256.0, 256.0, math.pi / 4)
"""Where it is to be: x, y [px] and angle [rad]."""
AGENT_RADIUS = 15.0
"""Of the disc that pushes."""
CORNERS = np.array([[-60, 0], [60, 0], [60, 30], [15, 30], [15, 120], [-15, 120], [-15, 30], [-60, 30]], float)
"""The outline in its own frame, in the order in which its inside lies to the left."""
_BOXES = np.array([[-60, 0, 60, 30], [-15, 30, 15, 120]], float)
_KEYPOINTS = np.array([[-60, 0], [60, 0], [60, 30], [-60, 30], [-15, 30], [15, 30], [15, 120], [-15, 120]], float)
"""What an observation tells of: the corners of the bar, then those of the stem."""
_AROUND = np.array([[-1, -1], [1, -1], [1, 1], [1, 1], [-1, 1], [-1, 1]], float)
_CONVEX = np.array([[-60, 0], [60, 0], [60, 30], [15, 120], [-15, 120], [-60, 30]], float)


def pose_of(keypoints: np.ndarray) -> np.ndarray:
    """Tell from the observed keypoints (16,) where the T is: x, y [px] and angle [rad]."""
    points = np.asarray(keypoints, float).reshape(8, 2)
    along = points[1] - points[0]
    angle = math.atan2(along[1], along[0])
    return np.array([*(points - turned(_KEYPOINTS, angle)).mean(0), angle])


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """Turn points (..., 2) by `angle` [rad]."""
    cos, sin = math.cos(angle), math.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def placed(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Bring points (..., 2) from the T's frame to the field."""
    return turned(points, pose[2]) + pose[:2]


def distance(pose: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Measure how far points (..., 2) of the field are from the T; 0 within it."""
    own = turned(points - pose[:2], -pose[2])[..., None, :]
    beyond = np.maximum(np.maximum(_BOXES[:, :2] - own, own - _BOXES[:, 2:]), 0)
    return np.hypot(beyond[..., 0], beyond[..., 1]).min(-1)


def outward(pose: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Give the direction (2,) in which one gets away from the T soonest."""
    x, y = np.eye(2)
    slope = np.array([distance(pose, point + step) - distance(pose, point - step) for step in (x, y)])
    length = np.linalg.norm(slope)
    return slope / length if length else turned(np.array([0.0, -1.0]), pose[2])


def contacts(spacing: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    """Give points (n, 2) along the outline in the T's frame, about `spacing` apart, and the directions away from it."""
    points, normals = [], []
    for start, end in zip(CORNERS, np.roll(CORNERS, -1, axis=0), strict=True):
        along = end - start
        length = np.linalg.norm(along)
        number = max(1, int(length // spacing))
        points.append(start + (np.arange(number)[:, None] + 0.5) / number * along)
        normals.append(np.tile([along[1] / length, -along[0] / length], (number, 1)))
    return np.concatenate(points), np.concatenate(normals)


def around(pose: np.ndarray, margin: float) -> np.ndarray:
    """Give the places (6, 2) by which one walks around the T's outer corners at `margin` from its sides."""
    return placed(pose, _CONVEX + margin * _AROUND)


def misplacement(pose: np.ndarray) -> float:
    """Measure how far the T's corners are from where they should be, on average."""
    apart = placed(pose, CORNERS) - placed(np.array(GOAL), CORNERS)
    return float(np.hypot(apart[:, 0], apart[:, 1]).mean())
