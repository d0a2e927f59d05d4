"""Inserting: a peg that stands anywhere on a mat, and a square hole."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish, let_go, pick, set_down
from etude.sim.objects import BLUE, YELLOW, Area, add_box, add_cylinder, add_mat
from etude.sim.task import Task
from etude.sim.tasks.insert.config import Config
from etude.sim.world import World

PEGS = Area(center=(0.235, -0.035), half_m=0.07)
PEG_RADIUS_M = 0.0125
PEG_HEIGHT_M = 0.055
PEG_MASS_KG = 0.025

HOLE = np.array([0.225, 0.14])
HOLE_HALF_M = 0.0150
"""The peg has 2.5 mm of play on every side."""
BLOCK_HALF_M = 0.035
BLOCK_HEIGHT_M = 0.025

_DEEP_M = 0.004
"""The peg's lower end is at most this far above the table when it is in."""
_GRIP_M = 0.012
_GRIP_HEIGHT_M = PEG_HEIGHT_M / 2 + _GRIP_M
_AIM_M = 0.0016


def build(config: Config) -> Task:
    """Make the task."""
    del config
    return Insert()


class Insert:
    """The peg is to stand in the hole, down to its ground, and the gripper to have let go."""

    text = Config.text
    objects: tuple[str, ...] = ("peg",)
    area = PEGS
    room_m = 0.065
    patience_s = 20.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """Lay out mat, hole and peg."""
        world = spec.worldbody
        add_mat(world, PEGS)
        block = world.add_body(name="hole", pos=[*HOLE, 0])
        wall, height = (BLOCK_HALF_M - HOLE_HALF_M) / 2, BLOCK_HEIGHT_M / 2
        offset = HOLE_HALF_M + wall
        for sign, side in ((-1, "near"), (1, "far")):
            add_box(block, f"hole_{side}", [wall, BLOCK_HALF_M, height], [sign * offset, 0, height], YELLOW)
        for sign, side in ((-1, "right"), (1, "left")):
            add_box(block, f"hole_{side}", [HOLE_HALF_M, wall, height], [0, sign * offset, height], YELLOW)
        add_cylinder(world, "peg", PEG_RADIUS_M, PEG_HEIGHT_M, PEG_MASS_KG, BLUE)

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Stand the peg anywhere on the mat."""
        world.place("peg", *PEGS.sample_pose(rng), z=PEG_HEIGHT_M / 2)

    def success(self, world: World) -> bool:
        """Whether the peg stands still in the hole, all the way down, and the gripper has let go."""
        return _is_in(world.pose("peg").position) and world.is_resting("peg") and world.is_gripper_open()

    def decide(self, view: View, style: Style) -> Wish:
        """Pick the peg, bring it over the hole, lower it, open, go up."""
        peg = view.objects["peg"]
        if _is_in(peg.position):
            return let_go(view, view.hand[:2], 0.14)
        if "peg" in view.grasped:
            goal = np.append(HOLE, PEG_HEIGHT_M / 2 - 0.002)
            return set_down(view, "peg", goal, style, hover_m=BLOCK_HEIGHT_M + 0.008, near_m=_AIM_M)
        return pick(view, "peg", style, lowest_m=_GRIP_HEIGHT_M, grip_m=_GRIP_M)


def _is_in(position: np.ndarray) -> bool:
    is_over = np.abs(position[:2] - HOLE).max() < HOLE_HALF_M
    return bool(is_over and position[2] < PEG_HEIGHT_M / 2 + _DEEP_M)
