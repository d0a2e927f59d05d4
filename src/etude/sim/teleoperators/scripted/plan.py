"""What the demonstrator wants, decided anew each tick from what it sees: it remembers nothing, so nothing is stale.

A block that slips is approached again, and one that was pushed aside is followed, without a word about either here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from etude.hardware.bodies.so101 import SO101
from etude.sim.scene import BIN_CENTER, BIN_WALL_HEIGHT_M, over_bin

OPEN_RAD = math.radians(40)
HOLD_RAD = math.radians(3.5)
"""The fingers stop at 8 degrees on the block. This much further the servo presses firmly, short of an overload."""
GRASP_HEIGHT_M = 0.0165
"""Of the place between the fingers; their tips then clear the table by 6 mm."""
DROP_HEIGHT_M = BIN_WALL_HEIGHT_M + 0.035
_NEAR_M = 0.006
_JAW_YAW_AT_ROLL_0 = 0.0487
"""The hand is mounted with a twist [rad]."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What the demonstrator sees: privileged state, all of it from this instant."""

    hand: np.ndarray
    """(3,) the place between the fingers [m]."""
    hand_axes: np.ndarray
    """(3, 3) rotation matrix; x points from the fixed finger to the moving one."""
    gripper_rad: float
    block: np.ndarray
    """(3,) the block's centre [m]."""
    block_axes: np.ndarray
    """(3, 3) rotation matrix."""
    is_grasped: bool
    """Whether both fingers touch the block."""


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


def decide(view: View, style: Style) -> Wish:
    """Give what to do now."""
    if over_bin(view.block, margin_m=0.012):
        return _let_go(view)
    if view.is_grasped:
        return _carry(view, style)
    if _is_between_fingers(view):
        return Wish(position=_grasp_point(view), roll=_grasp_roll(view), gripper_rad=HOLD_RAD)
    return _approach(view, style)


def _let_go(view: View) -> Wish:
    """Open above the bin, then go up."""
    is_open = view.gripper_rad > 0.6 * OPEN_RAD
    height = DROP_HEIGHT_M + 0.06 if is_open else view.hand[2]
    return Wish(position=np.append(BIN_CENTER, height), roll=0.0, gripper_rad=OPEN_RAD)


def _carry(view: View, style: Style) -> Wish:
    """Lift, swing over when high enough, and come down a little over the bin."""
    away = BIN_CENTER - view.hand[:2]
    distance = float(np.linalg.norm(away))
    is_high = np.clip((view.hand[2] - 0.025) / (style.carry_m - 0.045), 0, 1)
    height = DROP_HEIGHT_M + (style.carry_m - DROP_HEIGHT_M) * np.clip((distance - 0.03) / 0.05, 0, 1)
    target = view.hand[:2] + is_high * _swerved(away, style)
    return Wish(position=np.append(target, height), roll=0.0, gripper_rad=HOLD_RAD)


def _approach(view: View, style: Style) -> Wish:
    """Come to the block from above, the lower the better it is aimed at."""
    away = _grasp_point(view)[:2] - view.hand[:2]
    roll = _grasp_roll(view)
    twist = _angle(roll, _roll(view))
    off_aim = float(np.linalg.norm(away)) + 0.02 * max(abs(twist) - 0.1, 0)
    far = np.clip((off_aim - _NEAR_M) / 0.03, 0, 1)
    height = GRASP_HEIGHT_M + style.hover_m * far
    target = view.hand[:2] + _swerved(away + far * np.array(style.aim), style)
    return Wish(position=np.append(target, height), roll=roll, gripper_rad=OPEN_RAD)


def _is_between_fingers(view: View) -> bool:
    """Whether closing now would grasp the block; fingers that began to close may finish."""
    x, y, z = view.hand_axes.T @ (view.block - view.hand)
    slack = 1.0 if view.gripper_rad > 0.85 * OPEN_RAD else 1.8
    return bool(abs(x) < 0.008 * slack and abs(y) < 0.006 * slack and abs(z) < 0.007 * slack)


def _grasp_point(view: View) -> np.ndarray:
    return np.append(view.block[:2], max(GRASP_HEIGHT_M, view.block[2] + 0.004))


def _grasp_roll(view: View) -> float:
    """Choose the wrist roll that sets the fingers on two faces of the block: the one nearest to 0, always."""
    pan = -math.atan2(view.block[1], view.block[0] - SO101.links[0].pos[0])
    across = view.block_axes[:2, int(np.argmax(np.linalg.norm(view.block_axes[:2], axis=0)))]
    roll = math.atan2(across[1], across[0]) + pan - _JAW_YAW_AT_ROLL_0
    return (roll + math.pi / 4) % (math.pi / 2) - math.pi / 4


def _roll(view: View) -> float:
    """Give the wrist roll that the hand's axes show, were it pointing straight down."""
    pan = -math.atan2(view.hand[1], view.hand[0] - SO101.links[0].pos[0])
    return math.atan2(view.hand_axes[1, 0], view.hand_axes[0, 0]) + pan - _JAW_YAW_AT_ROLL_0


def _angle(one: float, other: float) -> float:
    return (one - other + math.pi) % (2 * math.pi) - math.pi


def _swerved(away: np.ndarray, style: Style) -> np.ndarray:
    """Bend the way to go sideways; the nearer the goal the less, and not at all at the end."""
    bend = style.swerve * np.clip(np.linalg.norm(away) / 0.1, 0, 1)
    return away + bend * np.array([-away[1], away[0]])
