"""Pushing: a puck anywhere on a mat, and a circle to push it into."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish, jaw_roll
from etude.sim.objects import BLUE, TEAL, WHITE, Area, add_cylinder, add_mat, paint_disc
from etude.sim.task import Task
from etude.sim.tasks.push.config import Config
from etude.sim.world import World

PUCKS = Area(center=(0.235, -0.035), half_m=0.07)
TARGET = np.array([0.22, 0.165])
TARGET_RADIUS_M = 0.055
PUCK_RADIUS_M = 0.030
PUCK_HEIGHT_M = 0.024
PUCK_MASS_KG = 0.040

_EDGE_M = 0.006
_CRADLE_RAD = math.radians(10)
"""The fingers then leave 3 cm between them, so that the puck rests against both and does not slip off sideways."""
_CRADLE_M = 0.0055
"""The middle between such fingers, from the place between the fingers towards the fixed one."""
_BEHIND_M = 0.034
"""How far behind the puck's centre the fingers are while they push."""
_ROOM_M = 0.022
"""Behind that, where the fingers come down."""
_PUSH_HEIGHT_M = 0.020
_ASIDE_M = 0.012
_ENOUGH_M = 0.010


def build(config: Config) -> Task:
    """Make the task."""
    del config
    return Push()


class Push:
    """The puck is to lie still and wholly inside the circle."""

    text = Config.text
    objects: tuple[str, ...] = ("puck",)
    area = PUCKS
    room_m = 0.095
    patience_s = 15.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """Lay out mat, circle and puck."""
        world = spec.worldbody
        add_mat(world, PUCKS)
        paint_disc(world, "target_edge", TARGET, TARGET_RADIUS_M, TEAL)
        paint_disc(world, "target", TARGET, TARGET_RADIUS_M - _EDGE_M, WHITE, layer=2)
        add_cylinder(world, "puck", PUCK_RADIUS_M, PUCK_HEIGHT_M, PUCK_MASS_KG, BLUE)

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Lay the puck anywhere on the mat."""
        world.place("puck", *PUCKS.sample_pose(rng), z=PUCK_HEIGHT_M / 2)

    def success(self, world: World) -> bool:
        """Whether the puck lies still, flat, and wholly inside the circle."""
        puck = world.pose("puck")
        is_inside = np.linalg.norm(puck.position[:2] - TARGET) < TARGET_RADIUS_M - PUCK_RADIUS_M
        return bool(is_inside and puck.axes[2, 2] > math.cos(math.radians(5)) and world.is_resting("puck"))

    def decide(self, view: View, style: Style) -> Wish:
        """Come down behind the puck, seen from the circle, and push it there."""
        puck = view.objects["puck"].position[:2]
        left = float(np.linalg.norm(TARGET - puck))
        if left < _ENOUGH_M:
            return Wish(position=np.append(view.hand[:2], 0.10), roll=0.0, gripper_rad=_CRADLE_RAD)
        ahead = (TARGET - puck) / left
        cradle = view.hand[:2] - _CRADLE_M * _direction(view.hand_axes[:2, 0])
        along, aside = _in_frame(cradle - puck, ahead)
        offset = view.hand[:2] - cradle
        roll = jaw_roll(puck, math.atan2(ahead[0], -ahead[1]))
        is_behind = -_BEHIND_M - 2 * _ROOM_M < along < -0.6 * _BEHIND_M and abs(aside) < _ASIDE_M
        if is_behind and view.hand[2] < _PUSH_HEIGHT_M + 0.012:
            goal = puck + ahead * (min(left, 0.03) - _BEHIND_M)
            return Wish(position=np.append(goal + offset, _PUSH_HEIGHT_M), roll=roll, gripper_rad=_CRADLE_RAD)
        start = puck - ahead * (_BEHIND_M + _ROOM_M)
        far = np.clip((np.linalg.norm(start - cradle) - 0.006) / 0.02, 0, 1)
        height = _PUSH_HEIGHT_M + (style.hover_m + 0.01) * far
        return Wish(position=np.append(start + offset, height), roll=roll, gripper_rad=_CRADLE_RAD)


def _direction(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _in_frame(vector: np.ndarray, ahead: np.ndarray) -> tuple[float, float]:
    """Give how far `vector` goes along `ahead`, and how far to its left."""
    return float(vector @ ahead), float(vector @ np.array([-ahead[1], ahead[0]]))
