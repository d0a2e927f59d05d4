"""Moves that demonstrators are made of, decided anew each tick from what is seen: they remember nothing.

A block that slips is approached again, and one that was pushed aside is followed, without a word about either here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etude.hardware.bodies.so101 import SO101

OPEN_RAD = math.radians(40)
HOLD_RAD = math.radians(3.5)
"""The fingers stop at 8 degrees on the block. This much further the servo presses firmly, short of an overload."""
GRASP_HEIGHT_M = 0.0165
"""Of the place between the fingers; their tips then clear the table by 6 mm."""
_NEAR_M = 0.006
_JAW_YAW_AT_ROLL_0 = 0.0487
"""The hand is mounted with a twist [rad]."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where something is: its centre (3,) [m] and its rotation matrix (3, 3)."""

    position: np.ndarray
    axes: np.ndarray


@dataclass(frozen=True, kw_only=True)
class View:
    """What the demonstrator sees: privileged state, all of it from this instant."""

    hand: np.ndarray
    """(3,) the place between the fingers [m]."""
    hand_axes: np.ndarray
    """(3, 3) rotation matrix; x points from the fixed finger to the moving one."""
    gripper_rad: float
    objects: Mapping[str, Pose]
    """What can be moved, by name."""
    grasped: frozenset[str] = frozenset()
    """What both fingers touch."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one episode differs from the next, as people do."""

    speed: float = 1.0
    hover_m: float = 0.06
    """Height from which it comes down."""
    carry_m: float = 0.10
    """Height at which it carries."""
    swerve: float = 0.0
    """How far paths bend sideways: 0.2 leaves a straight line by a fifth of what is left to go."""
    aim: tuple[float, float] = (0.0, 0.0)
    """Where it approaches the block from, relative to right above [m]."""

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Style:
        """Draw a style."""
        return cls(
            speed=rng.uniform(0.7, 1.2),
            hover_m=rng.uniform(0.045, 0.075),
            carry_m=rng.uniform(0.085, 0.12),
            swerve=rng.uniform(-0.3, 0.3),
            aim=(rng.uniform(-0.008, 0.008), rng.uniform(-0.008, 0.008)),
        )


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Where the hand should go and what the fingers should do."""

    position: np.ndarray
    roll: float
    gripper_rad: float


def pick(view: View, name: str, style: Style) -> Wish:
    """Take hold of block `name`: come to it from above, and close once it is between the fingers."""
    block = view.objects[name]
    if _is_between_fingers(view, block):
        return Wish(position=_grasp_point(block), roll=grasp_roll(block), gripper_rad=HOLD_RAD)
    return _approach(view, block, style)


def carry(view: View, goal: np.ndarray, height_m: float, style: Style) -> Wish:
    """Lift, swing over to `goal` (2,) [m] when high enough, and come down a little to `height_m` over it."""
    away = goal - view.hand[:2]
    distance = float(np.linalg.norm(away))
    is_high = np.clip((view.hand[2] - 0.025) / (style.carry_m - 0.045), 0, 1)
    height = height_m + (style.carry_m - height_m) * np.clip((distance - 0.03) / 0.05, 0, 1)
    target = view.hand[:2] + is_high * swerved(away, style)
    return Wish(position=np.append(target, height), roll=0.0, gripper_rad=HOLD_RAD)


def let_go(view: View, goal: np.ndarray, height_m: float) -> Wish:
    """Open where the hand is, then go up to `height_m` over `goal` (2,) [m]."""
    is_open = view.gripper_rad > 0.6 * OPEN_RAD
    return Wish(position=np.append(goal, height_m if is_open else view.hand[2]), roll=0.0, gripper_rad=OPEN_RAD)


def grasp_roll(block: Pose) -> float:
    """Choose the wrist roll that sets the fingers on two faces of the block: the one nearest to 0, always."""
    pan = -math.atan2(block.position[1], block.position[0] - SO101.links[0].pos[0])
    across = block.axes[:2, int(np.argmax(np.linalg.norm(block.axes[:2], axis=0)))]
    roll = math.atan2(across[1], across[0]) + pan - _JAW_YAW_AT_ROLL_0
    return (roll + math.pi / 4) % (math.pi / 2) - math.pi / 4


def swerved(away: np.ndarray, style: Style) -> np.ndarray:
    """Bend the way to go sideways; the nearer the goal the less, and not at all at the end."""
    bend = style.swerve * np.clip(np.linalg.norm(away) / 0.1, 0, 1)
    return away + bend * np.array([-away[1], away[0]])


def _approach(view: View, block: Pose, style: Style) -> Wish:
    """Come to the block from above, the lower the better it is aimed at."""
    away = _grasp_point(block)[:2] - view.hand[:2]
    roll = grasp_roll(block)
    twist = _angle(roll, _roll(view))
    off_aim = float(np.linalg.norm(away)) + 0.02 * max(abs(twist) - 0.1, 0)
    far = np.clip((off_aim - _NEAR_M) / 0.03, 0, 1)
    height = GRASP_HEIGHT_M + style.hover_m * far
    target = view.hand[:2] + swerved(away + far * np.array(style.aim), style)
    return Wish(position=np.append(target, height), roll=roll, gripper_rad=OPEN_RAD)


def _is_between_fingers(view: View, block: Pose) -> bool:
    """Whether closing now would grasp the block; fingers that began to close may finish."""
    x, y, z = view.hand_axes.T @ (block.position - view.hand)
    slack = 1.0 if view.gripper_rad > 0.85 * OPEN_RAD else 1.8
    return bool(abs(x) < 0.008 * slack and abs(y) < 0.006 * slack and abs(z) < 0.007 * slack)


def _grasp_point(block: Pose) -> np.ndarray:
    return np.append(block.position[:2], max(GRASP_HEIGHT_M, block.position[2] + 0.004))


def _roll(view: View) -> float:
    """Give the wrist roll that the hand's axes show, were it pointing straight down."""
    pan = -math.atan2(view.hand[1], view.hand[0] - SO101.links[0].pos[0])
    return math.atan2(view.hand_axes[1, 0], view.hand_axes[0, 0]) + pan - _JAW_YAW_AT_ROLL_0


def _angle(one: float, other: float) -> float:
    return (one - other + math.pi) % (2 * math.pi) - math.pi
