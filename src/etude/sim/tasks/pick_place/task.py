"""Pick-and-place: a red block anywhere on a mat, and a bin beside it."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish, carry, let_go, pick
from etude.sim.objects import Area, Bin, add_block, add_mat
from etude.sim.task import Task
from etude.sim.tasks.pick_place.config import Config
from etude.sim.world import World

BLOCKS = Area(center=(0.235, -0.035), half_m=0.08)
BIN = Bin(center=(0.20, 0.185))

_LYING_M = 0.03
"""Higher than a block's centre in the bin however it lies, lower than on top of a wall."""
_DROP_HEIGHT_M = BIN.wall_height_m + 0.035


def build(config: Config) -> Task:
    """Make the task."""
    del config
    return PickPlace()


class PickPlace:
    """The block is to lie still in the bin, and the gripper to have let go."""

    text = Config.text
    objects: tuple[str, ...] = ("block",)
    area = BLOCKS
    room_m = 0.065
    patience_s = 15.0

    def add(self, spec: mujoco.MjSpec) -> None:
        """Lay out mat, bin and block."""
        add_mat(spec.worldbody, BLOCKS)
        BIN.add(spec.worldbody)
        add_block(spec.worldbody)

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Lay the block anywhere on the mat."""
        world.place("block", *BLOCKS.sample_pose(rng))

    def success(self, world: World) -> bool:
        """Whether the block lies still in the bin and the gripper has let go."""
        position = world.pose("block").position
        is_lying_in = BIN.is_over(position) and bool(position[2] < _LYING_M)
        return is_lying_in and world.is_resting("block") and world.is_gripper_open()

    def decide(self, view: View, style: Style) -> Wish:
        """Pick it, carry it over the bin, open, go up."""
        goal = np.array(BIN.center)
        if BIN.is_over(view.objects["block"].position, margin_m=0.012):
            return let_go(view, goal, _DROP_HEIGHT_M + 0.06)
        if "block" in view.grasped:
            return carry(view, goal, _DROP_HEIGHT_M, style)
        return pick(view, "block", style)
