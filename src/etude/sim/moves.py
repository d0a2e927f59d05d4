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
GRIP_M = 0.004
"""How far above its centre a block is held."""
_NEAR_M = 0.006
_FUNNEL_M = 0.01
"""It comes down this much nearer to its aim than where it hovers: where a finger would stand on the block, the hand is
high enough for it to pass over the edge."""
_MIDDLE_M = 0.01
"""How far beside the place where the fingers close, towards the moving one, it aims a block: near the middle of the
open fingers, as the fixed one stands only 20 mm beside that place and must not come down on the block."""
_TWIST_M_RAD = 0.03
"""How far off its aim a hand is that is twisted by so much."""
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
    is_turned: bool = False
    """Whether it takes blocks by their other two faces, such as after the first two could not be reached."""

    @classmethod
    def sample(cls, rng: np.random.Generator, speed: tuple[float, float] = (0.7, 1.2)) -> Style:
        """Draw a style, its speed between those of `speed`."""
        return cls(
            speed=rng.uniform(*speed),
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


def pick(view: View, name: str, style: Style, *, lowest_m: float = GRASP_HEIGHT_M, grip_m: float = GRIP_M) -> Wish:
    """Take hold of thing `name`: come to it from above, and close once it is between the fingers.

    It is held `grip_m` above its centre; the hand goes no lower than `lowest_m`.
    """
    thing = view.objects[name]
    roll = grasp_roll(thing) if not style.is_turned else _quarter(grasp_roll(thing))
    aside = _MIDDLE_M * view.hand_axes[:2, 0]
    grasp = _above(thing.position[:2] - aside, max(lowest_m, thing.position[2] + grip_m))
    if _is_between_fingers(view, thing, grip_m):
        return Wish(position=grasp, roll=roll, gripper_rad=HOLD_RAD)
    return _approach(view, grasp, lowest_m, roll, style)


def carry(view: View, goal: np.ndarray, height_m: float, style: Style) -> Wish:
    """Lift, swing over to `goal` (2,) [m] when high enough, and come down a little to `height_m` over it."""
    away = goal - view.hand[:2]
    distance = length(away)
    is_high = _clipped((view.hand[2] - 0.025) / (style.carry_m - 0.045), 0, 1)
    height = height_m + (style.carry_m - height_m) * _clipped((distance - 0.03) / 0.05, 0, 1)
    target = view.hand[:2] + is_high * swerved(away, style)
    return Wish(position=_above(target, height), roll=0.0, gripper_rad=HOLD_RAD)


def set_down(view: View, name: str, goal: np.ndarray, style: Style, *, hover_m: float, near_m: float) -> Wish:
    """Bring the held thing `name` over `goal` (3,) [m], then, within `near_m` beside it, down to it.

    Its centre is brought there, wherever the fingers hold it; until it is near it stays `hover_m` above.
    """
    held = view.hand - view.objects[name].position
    away = goal[:2] - view.objects[name].position[:2]
    far = _clipped((length(away) - near_m) / near_m, 0, 1)
    return carry(view, goal[:2] + held[:2], goal[2] + held[2] + far * hover_m, style)


def let_go(view: View, goal: np.ndarray, height_m: float) -> Wish:
    """Open where the hand is, then go up to `height_m` over `goal` (2,) [m]."""
    is_open = view.gripper_rad > 0.6 * OPEN_RAD
    return Wish(position=_above(goal, height_m if is_open else view.hand[2]), roll=0.0, gripper_rad=OPEN_RAD)


def grasp_roll(block: Pose) -> float:
    """Choose the wrist roll that sets the fingers on two faces of the block: the one nearest to 0, always."""
    across = block.axes[:2, int(np.argmax(np.linalg.norm(block.axes[:2], axis=0)))]
    roll = _roll_for(block.position, math.atan2(across[1], across[0]))
    return (roll + math.pi / 4) % (math.pi / 2) - math.pi / 4


def jaw_roll(place: np.ndarray, yaw: float) -> float:
    """Choose the wrist roll that lays the line between the fingers along `yaw` [rad] at `place`, either way round."""
    return (_roll_for(place, yaw) + math.pi / 2) % math.pi - math.pi / 2


def length(vector: np.ndarray) -> float:
    """Give how long a short vector is, much faster than numpy does."""
    return math.hypot(*vector.tolist())


def _clipped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def swerved(away: np.ndarray, style: Style) -> np.ndarray:
    """Bend the way to go sideways; the nearer the goal the less, and not at all at the end."""
    bend = style.swerve * _clipped(length(away) / 0.1, 0, 1)
    return away + bend * np.array([-away[1], away[0]])


def _approach(view: View, grasp: np.ndarray, lowest_m: float, roll: float, style: Style) -> Wish:
    """Come to `grasp` from above, the lower the better it is aimed at."""
    away = grasp[:2] - view.hand[:2]
    twist = _angle(roll, _roll(view))
    off_aim = length(away) + _TWIST_M_RAD * max(abs(twist) - 0.1, 0)
    far = _clipped((off_aim - _NEAR_M) / _FUNNEL_M, 0, 1)
    height = lowest_m + style.hover_m * far
    target = view.hand[:2] + swerved(away + far * np.array(style.aim), style)
    return Wish(position=_above(target, height), roll=roll, gripper_rad=OPEN_RAD)


def _above(place: np.ndarray, height_m: float) -> np.ndarray:
    return np.array([*place.tolist(), height_m])


def _is_between_fingers(view: View, thing: Pose, grip_m: float) -> bool:
    """Whether closing now would grasp the thing; fingers that began to close may finish."""
    x, y, z = view.hand_axes.T @ (thing.position - view.hand)
    z += grip_m - GRIP_M
    is_open = view.gripper_rad > 0.85 * OPEN_RAD
    slack = 1.0 if is_open else 1.8
    low, high = (0.0, 2 * _MIDDLE_M) if is_open else (-0.0145, 3 * _MIDDLE_M)
    return bool(low < x < high and abs(y) < 0.006 * slack and abs(z) < 0.007 * slack)


def _roll(view: View) -> float:
    """Give the wrist roll that the hand's axes show, were it pointing straight down."""
    return _roll_for(view.hand, math.atan2(view.hand_axes[1, 0], view.hand_axes[0, 0]))


def _roll_for(place: np.ndarray, yaw: float) -> float:
    pan = -math.atan2(place[1], place[0] - SO101.links[0].pos[0])
    return yaw + pan - _JAW_YAW_AT_ROLL_0


def _quarter(roll: float) -> float:
    """Turn by a quarter, towards 0."""
    return roll - math.copysign(math.pi / 2, roll)


def _angle(one: float, other: float) -> float:
    return (one - other + math.pi) % (2 * math.pi) - math.pi
