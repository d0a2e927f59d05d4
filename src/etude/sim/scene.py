"""What every simulated table has, whatever is done on it: an arm, light and two cameras."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.objects import add_distractors
from etude.sim.sim_arm import Seat
from etude.sim.task import Task

TIMESTEP_S = 0.002
VIEWS = ("front", "wrist")

_TABLE = (0.86, 0.80, 0.71, 1.0)


def compile_scene(task: Task, seats: Sequence[Seat], distractors: int = 0) -> mujoco.MjModel:
    """Build the whole scene: the table's top at z = 0, an arm on every seat, what `task` adds, and `distractors`."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    _set_options(spec)
    for seat in seats:
        seat.add(spec)
    _add_table(spec.worldbody)
    task.add(spec)
    add_distractors(spec.worldbody, distractors)
    _add_cameras(spec, seats)
    return spec.compile()


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


def _add_table(world: mujoco.MjsBody) -> None:
    world.add_geom(name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 1], rgba=_TABLE)
    for pos, diffuse in (((0.5, -0.6, 1.2), 0.42), ((0.3, 0.8, 0.9), 0.18)):
        direction = -np.array(pos) + [0.2, 0, 0]
        light = world.add_light(pos=pos, dir=direction, diffuse=[diffuse] * 3, specular=[0.08] * 3)
        light.type, light.castshadow = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, False


def _add_cameras(spec: mujoco.MjSpec, seats: Sequence[Seat]) -> None:
    """Add a camera that overlooks the table and one behind each gripper, where the usual mount holds it."""
    look_from, look_at = np.array([0.60, 0.055, 0.46]), np.array([0.18, 0.055, 0.04])
    front = spec.worldbody.add_camera(name="front", pos=look_from, fovy=41)
    _point(front, look_from - look_at)
    wrist = [math.cos(0.285), -math.sin(0.285), 0, 0]
    for seat in seats:
        spec.body(seat.hand).add_camera(name=f"{seat.prefix}wrist", pos=[0, 0.055, -0.045], quat=wrist, fovy=75)


def _point(camera: mujoco.MjsCamera, back: np.ndarray) -> None:
    """Turn `camera` away from `back`, its picture upright."""
    right = np.cross([0, 0, 1], back)
    camera.alt.type = mujoco.mjtOrientation.mjORIENTATION_XYAXES
    camera.alt.xyaxes = [*right, *np.cross(back, right)]
