"""Stacking: a red and a blue block, anywhere on a mat."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish, let_go, pick, set_down
from etude.sim.objects import BLOCK_HALF_M, BLUE, RED, Area, add_block, add_mat
from etude.sim.task import Task
from etude.sim.tasks.stack.config import Config
from etude.sim.world import World

BLOCKS = Area(center=(0.235, 0.0), half_m=0.08)
APART_M = 0.075
"""Room for the open fingers between the blocks."""

_OFFSET_M = 0.011
"""Between the blocks' centres, seen from above; the upper one falls at 12.5 mm."""
_HEIGHT_SLACK_M = 0.003
_AIM_M = 0.004
_HEIGHT_M = 2 * BLOCK_HALF_M


def build(config: Config) -> Task:
    """Make the task."""
    del config
    return Stack()


class Stack:
    """The red block is to lie still on the blue one, and the gripper to have let go."""

    text = Config.text
    objects: tuple[str, ...] = ("red", "blue")
    area = BLOCKS
    room_m = 0.065
    patience_s = 15.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """Lay out mat and blocks."""
        add_mat(spec.worldbody, BLOCKS)
        add_block(spec.worldbody, "red", RED)
        add_block(spec.worldbody, "blue", BLUE)

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Lay both blocks anywhere on the mat, apart."""
        for name, (x, y) in zip(self.objects, BLOCKS.sample_apart(rng, 2, APART_M), strict=True):
            world.place(name, x, y, rng.uniform(-math.pi, math.pi))

    def success(self, world: World) -> bool:
        """Whether the red block rests on the blue one, untouched."""
        between = world.pose("red").position - world.pose("blue").position
        is_on = abs(between[2] - _HEIGHT_M) < _HEIGHT_SLACK_M and np.linalg.norm(between[:2]) < _OFFSET_M
        is_still = world.is_resting("red") and world.is_resting("blue")
        return bool(is_on and is_still and world.is_gripper_open() and not world.is_grasped("red"))

    def decide(self, view: View, style: Style) -> Wish:
        """Pick the red block, bring it over the blue one, set it down, open, go up."""
        red, blue = view.objects["red"].position, view.objects["blue"].position
        off, height = float(np.linalg.norm(red[:2] - blue[:2])), red[2] - blue[2] - _HEIGHT_M
        if off < _AIM_M * (1.0 if "red" in view.grasped else 2.5) and abs(height) < _HEIGHT_SLACK_M:
            return let_go(view, view.hand[:2], blue[2] + 0.10)
        if "red" in view.grasped:
            goal = blue + np.array([0.0, 0.0, _HEIGHT_M - 0.001])
            return set_down(view, "red", goal, style, hover_m=0.02, near_m=_AIM_M)
        return pick(view, "red", style)
