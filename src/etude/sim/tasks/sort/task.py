"""Sorting: a red and a blue block anywhere on a mat, and a bin for each colour."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish, carry, let_go, pick
from etude.sim.objects import BLUE, RED, Area, Bin, add_block, add_mat
from etude.sim.task import Task
from etude.sim.tasks.sort.config import Config
from etude.sim.world import World

BLOCKS = Area(center=(0.235, -0.045), half_m=0.075)
APART_M = 0.075
"""Room for the open fingers between the blocks."""
BINS = {"red": Bin(center=(0.145, 0.175), half_m=0.05), "blue": Bin(center=(0.255, 0.175), half_m=0.05)}
COLORS = {"red": RED, "blue": BLUE}

_LYING_M = 0.03
_PALER = 0.6
"""How much paler a bin's floor is than what belongs there, so that it can be seen on it."""
_DROP_HEIGHT_M = 0.075


def build(config: Config) -> Task:
    """Make the task."""
    del config
    return Sort()


class Sort:
    """Each block is to lie still in the bin of its colour, and the gripper to have let go."""

    text = Config.text
    objects: tuple[str, ...] = ("red", "blue")
    area = BLOCKS
    room_m = 0.065
    patience_s = 30.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """Lay out mat, bins and blocks."""
        add_mat(spec.worldbody, BLOCKS)
        for name, place in BINS.items():
            color = np.array(COLORS[name])
            pale = color + _PALER * (1 - color)
            place.add(spec.worldbody, f"{name}_bin", color.tolist(), pale.tolist())
        for name, color in COLORS.items():
            add_block(spec.worldbody, name, color)

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Lay both blocks anywhere on the mat, apart."""
        for name, (x, y) in zip(self.objects, BLOCKS.sample_apart(rng, 2, APART_M), strict=True):
            world.place(name, x, y, rng.uniform(-math.pi, math.pi))

    def success(self, world: World) -> bool:
        """Whether both blocks lie still in their bins and the gripper has let go."""
        return world.is_gripper_open() and all(_is_home(world, name) for name in self.objects)

    def decide(self, view: View, style: Style) -> Wish:
        """Bring what is held to its bin; otherwise pick the red block, then the blue one."""
        for name in sorted(self.objects, key=lambda name: name not in view.grasped):
            position, goal = view.objects[name].position, np.array(BINS[name].center)
            if BINS[name].is_over(position, margin_m=0.012):
                if name in view.grasped or _is_above(view, goal):
                    return let_go(view, goal, _DROP_HEIGHT_M + 0.06)
                continue
            if name in view.grasped:
                return carry(view, goal, _DROP_HEIGHT_M, style)
            return pick(view, name, style)
        return let_go(view, np.array(BINS["red"].center), _DROP_HEIGHT_M + 0.06)


def _is_home(world: World, name: str) -> bool:
    position = world.pose(name).position
    return BINS[name].is_over(position) and bool(position[2] < _LYING_M) and world.is_resting(name)


def _is_above(view: View, goal: np.ndarray) -> bool:
    """Whether the hand is still low over a bin, its fingers around what it let go."""
    return bool(np.linalg.norm(view.hand[:2] - goal) < 0.05 and view.hand[2] < _DROP_HEIGHT_M + 0.03)
