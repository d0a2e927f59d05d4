"""Things that lie on the simulated table."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etude.hardware.physics import mujoco

BLOCK_HALF_M = 0.0125
BLOCK_MASS_KG = 0.016

# Told apart by people who see colours differently, too: they differ in brightness.
RED = (0.84, 0.20, 0.18, 1.0)
BLUE = (0.10, 0.27, 0.60, 1.0)
YELLOW = (0.97, 0.82, 0.25, 1.0)
WHITE = (0.97, 0.97, 0.96, 1.0)
DARK = (0.22, 0.25, 0.29, 1.0)
_MAT = (0.80, 0.73, 0.63, 1.0)
TEAL = (0.20, 0.47, 0.55, 1.0)
_PALE_TEAL = (0.27, 0.57, 0.64, 1.0)


@dataclass(frozen=True, kw_only=True)
class Area:
    """A square on the table."""

    center: tuple[float, float]
    half_m: float

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a place (2,) [m] in it, uniformly."""
        return np.array(self.center) + rng.uniform(-self.half_m, self.half_m, 2)

    def sample_apart(self, rng: np.random.Generator, count: int, apart_m: float) -> np.ndarray:
        """Draw `count` places (count, 2) [m] in it that are at least `apart_m` from each other."""
        while True:
            places = np.array([self.sample(rng) for _ in range(count)])
            gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)
            if gaps[~np.eye(count, dtype=bool)].min(initial=math.inf) >= apart_m:
                return places

    def sample_pose(self, rng: np.random.Generator) -> np.ndarray:
        """Draw x, y [m] and yaw [rad], all uniform."""
        return np.append(self.sample(rng), rng.uniform(-math.pi, math.pi))


@dataclass(frozen=True, kw_only=True)
class Bin:
    """An open box with a square floor."""

    center: tuple[float, float]
    half_m: float = 0.055
    wall_height_m: float = 0.04
    wall_half_m: float = 0.0025

    def is_over(self, position: np.ndarray, margin_m: float = 0.0) -> bool:
        """Whether `position` lies over the floor, at least `margin_m` inside the walls."""
        inside = self.half_m - 2 * self.wall_half_m - margin_m
        return all(abs(float(position[axis]) - self.center[axis]) <= inside for axis in range(2))

    def add(
        self,
        world: mujoco.MjsBody,
        name: str = "bin",
        color: Sequence[float] = TEAL,
        floor: Sequence[float] = _PALE_TEAL,
    ) -> None:
        """Stand it on the table."""
        tray = world.add_body(name=name, pos=[*self.center, 0])
        add_box(tray, f"{name}_floor", [self.half_m, self.half_m, 0.001], [0, 0, 0.001], floor)
        offset, height = self.half_m - self.wall_half_m, self.wall_height_m / 2
        along_y = [self.wall_half_m, self.half_m, height]
        along_x = [self.half_m - 2 * self.wall_half_m, self.wall_half_m, height]
        for sign, side in ((-1, "near"), (1, "far")):
            add_box(tray, f"{name}_{side}", along_y, [sign * offset, 0, height], color)
        for sign, side in ((-1, "right"), (1, "left")):
            add_box(tray, f"{name}_{side}", along_x, [0, sign * offset, height], color)


def add_mat(world: mujoco.MjsBody, area: Area, name: str = "mat") -> None:
    """Show where blocks may lie; a mat has no thickness and touches nothing."""
    half = area.half_m + BLOCK_HALF_M * math.sqrt(2)
    mat = world.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_PLANE, size=[half, half, 1], rgba=_MAT)
    mat.pos = [*area.center, 0.0005]
    mat.contype = mat.conaffinity = 0


def add_block(world: mujoco.MjsBody, name: str = "block", color: Sequence[float] = RED) -> None:
    """Lay down a cube of 25 mm that can be moved."""
    block = world.add_body(name=name, pos=[0.2, 0, BLOCK_HALF_M])
    block.add_freejoint(name=name)
    add_box(block, name, [BLOCK_HALF_M] * 3, [0, 0, 0], color).mass = BLOCK_MASS_KG


def distractors(count: int) -> list[str]:
    """Name the first `count` distractors."""
    return [f"distractor_{number}" for number in range(1, count + 1)]


def add_distractors(world: mujoco.MjsBody, count: int) -> None:
    """Lay down blocks that no task is about."""
    for number, name in enumerate(distractors(count)):
        add_block(world, name, (YELLOW, DARK, WHITE, TEAL)[number])


def add_cylinder(
    world: mujoco.MjsBody, name: str, radius_m: float, height_m: float, mass_kg: float, color: Sequence[float]
) -> None:
    """Stand up a cylinder that can be moved."""
    body = world.add_body(name=name, pos=[0.2, 0, height_m / 2])
    body.add_freejoint(name=name)
    size = [radius_m, height_m / 2, 0]
    body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=size, rgba=color).mass = mass_kg


def paint_disc(
    world: mujoco.MjsBody, name: str, center: np.ndarray, radius_m: float, color: Sequence[float], layer: int = 1
) -> None:
    """Paint a disc on the table; it touches nothing. Higher layers cover lower ones."""
    thickness = 0.0004 * layer
    disc = world.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[radius_m, thickness, 0], rgba=color)
    disc.pos = [*center, 0]
    disc.contype = disc.conaffinity = 0


def add_box(
    body: mujoco.MjsBody, name: str, half: Sequence[float], pos: Sequence[float], color: Sequence[float]
) -> mujoco.MjsGeom:
    """Add a box with half lengths `half` [m] at `pos` in the frame of `body`."""
    return body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=half, pos=pos, rgba=color)
