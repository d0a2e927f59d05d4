"""The pick-and-place table: an arm, a block, a bin and two cameras."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from etude.hardware.bodies.mjcf import add_arm
from etude.hardware.physics import mujoco

TASK = "Put the red block into the bin."

TIMESTEP_S = 0.002
VIEWS = ("front", "wrist")

BLOCK_HALF_M = 0.0125
BLOCK_MASS_KG = 0.016
BLOCK_AREA_CENTER = np.array([0.235, -0.035])
BLOCK_AREA_HALF_M = 0.08

BIN_CENTER = np.array([0.20, 0.185])
BIN_HALF_M = 0.055
BIN_WALL_HEIGHT_M = 0.04
_WALL_HALF_M = 0.0025

_TABLE = (0.86, 0.80, 0.71, 1.0)
_MAT = (0.80, 0.73, 0.63, 1.0)
_BLOCK = (0.84, 0.20, 0.18, 1.0)
_BIN = (0.20, 0.47, 0.55, 1.0)
_BIN_FLOOR = (0.27, 0.57, 0.64, 1.0)


def compile_scene() -> mujoco.MjModel:
    """Build the whole scene: the arm at the origin, the table's top at z = 0."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    _set_options(spec)
    add_arm(spec)
    _add_surroundings(spec.worldbody)
    _add_bin(spec.worldbody)
    _add_block(spec.worldbody)
    _add_cameras(spec)
    return spec.compile()


def sample_block(rng: np.random.Generator) -> np.ndarray:
    """Draw where the block lies: x, y [m] in its area and yaw [rad], all uniform."""
    xy = BLOCK_AREA_CENTER + rng.uniform(-BLOCK_AREA_HALF_M, BLOCK_AREA_HALF_M, 2)
    return np.append(xy, rng.uniform(-math.pi, math.pi))


def over_bin(position: np.ndarray, margin_m: float = 0.0) -> bool:
    """Whether `position` lies over the bin's floor, at least `margin_m` inside its walls."""
    inside = BIN_HALF_M - 2 * _WALL_HALF_M - margin_m
    return bool(np.all(np.abs(position[:2] - BIN_CENTER) <= inside))


def _set_options(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = TIMESTEP_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10  # grasped things creep out of the fingers without it
    option.iterations, option.ls_iterations = 10, 20
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.offsamples = 0
    spec.visual.quality.numquads = 1
    spec.visual.map.znear = 0.01
    spec.visual.global_.offwidth, spec.visual.global_.offheight = 1280, 960
    spec.visual.headlight.ambient = [0.42, 0.42, 0.42]
    spec.visual.headlight.diffuse = [0.22, 0.22, 0.22]
    spec.visual.headlight.specular = [0, 0, 0]


def _add_surroundings(world: mujoco.MjsBody) -> None:
    world.add_geom(name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 1], rgba=_TABLE)
    half = BLOCK_AREA_HALF_M + BLOCK_HALF_M * math.sqrt(2)
    mat = world.add_geom(name="mat", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[half, half, 1], rgba=_MAT)
    mat.pos = [*BLOCK_AREA_CENTER, 0.0005]
    mat.contype = mat.conaffinity = 0
    for pos, diffuse in (((0.5, -0.6, 1.2), 0.42), ((0.3, 0.8, 0.9), 0.18)):
        direction = -np.array(pos) + [0.2, 0, 0]
        light = world.add_light(pos=pos, dir=direction, diffuse=[diffuse] * 3, specular=[0.08] * 3)
        light.type, light.castshadow = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, False


def _add_bin(world: mujoco.MjsBody) -> None:
    tray = world.add_body(name="bin", pos=[*BIN_CENTER, 0])
    _add_box(tray, "bin_floor", [BIN_HALF_M, BIN_HALF_M, 0.001], [0, 0, 0.001], _BIN_FLOOR)
    offset, height = BIN_HALF_M - _WALL_HALF_M, BIN_WALL_HEIGHT_M / 2
    along_y = [_WALL_HALF_M, BIN_HALF_M, height]
    along_x = [BIN_HALF_M - 2 * _WALL_HALF_M, _WALL_HALF_M, height]
    for sign, side in ((-1, "near"), (1, "far")):
        _add_box(tray, f"bin_{side}", along_y, [sign * offset, 0, height], _BIN)
    for sign, side in ((-1, "right"), (1, "left")):
        _add_box(tray, f"bin_{side}", along_x, [0, sign * offset, height], _BIN)


def _add_block(world: mujoco.MjsBody) -> None:
    block = world.add_body(name="block", pos=[*BLOCK_AREA_CENTER, BLOCK_HALF_M])
    block.add_freejoint(name="block")
    _add_box(block, "block", [BLOCK_HALF_M] * 3, [0, 0, 0], _BLOCK).mass = BLOCK_MASS_KG


def _add_cameras(spec: mujoco.MjSpec) -> None:
    """Add a camera that overlooks the table and one behind the gripper, where the usual mount holds it."""
    look_from, look_at = np.array([0.60, 0.055, 0.46]), np.array([0.18, 0.055, 0.04])
    front = spec.worldbody.add_camera(name="front", pos=look_from, fovy=41)
    _point(front, look_from - look_at)
    wrist = [math.cos(0.285), -math.sin(0.285), 0, 0]
    spec.body("gripper").add_camera(name="wrist", pos=[0, 0.055, -0.045], quat=wrist, fovy=75)


def _point(camera: mujoco.MjsCamera, back: np.ndarray) -> None:
    """Turn `camera` away from `back`, its picture upright."""
    right = np.cross([0, 0, 1], back)
    camera.alt.type = mujoco.mjtOrientation.mjORIENTATION_XYAXES
    camera.alt.xyaxes = [*right, *np.cross(back, right)]


def _add_box(
    body: mujoco.MjsBody, name: str, half: Sequence[float], pos: Sequence[float], color: Sequence[float]
) -> mujoco.MjsGeom:
    return body.add_geom(name=name, type=mujoco.mjtGeom.mjGEOM_BOX, size=half, pos=pos, rgba=color)
