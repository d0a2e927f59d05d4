"""Draws each episode's table: it edits the compiled scene in place, and undoes that exactly before the next one."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.objects import distractors
from etude.sim.randomization import Randomization

if TYPE_CHECKING:
    from etude.sim.world import World

_STATISTICS = ("meaninertia", "meanmass")
"""What MuJoCo derives from masses besides arrays."""
_TRIES = 60
_LEAST_NOISE = 2**20
"""Numbers from which pictures take their noise, each from a place of its own: drawing all anew would take as long as
drawing the pictures."""
_ASTRAY_RAD = 0.8
"""How far each joint is from its start where the arm went astray; the first one then reaches bins and blocks alike."""


class Randomizer:
    """Makes the table of one episode after another."""

    def __init__(self, config: Randomization, model: mujoco.MjModel, things: tuple[str, ...]) -> None:
        """Work on `model`; `things` are the bodies on it that can be moved."""
        self._config, self._model = config, model
        self._pristine = {name: value.copy() for name, value in _arrays(model).items()}
        self._statistics = {name: getattr(model.stat, name) for name in _STATISTICS}
        self._things = [model.body(name).id for name in things]
        arms = _trees_with_hinges(model)
        self._furnishing = [body for body in range(model.nbody) if model.body_rootid[body] not in arms]
        self._gain = 1.0
        self._noise = np.random.default_rng(0)

    def apply(self, seed: int) -> None:
        """Make the table of episode `seed`."""
        if not self._config.is_on:
            return
        rng = np.random.default_rng([seed, 2])  # apart from the draws of the world and of the demonstrator
        self.restore()
        self._light(rng)
        self._move_cameras(rng)
        self._paint(self._furnishing, self._config.color, rng)
        self._weigh(rng)
        self._gain = _factor(rng, self._config.brightness)
        self._noise = np.random.default_rng([seed, 3])
        self._paint(self._things, self._config.object_color, np.random.default_rng([seed, 6]))

    def restore(self) -> None:
        """Give the scene back as it was compiled."""
        for name, array in _arrays(self._model).items():
            array[:] = self._pristine[name]
        for name, value in self._statistics.items():
            setattr(self._model.stat, name, value)

    def draw_wear(self, seed: int) -> tuple[float, float]:
        """Give the backlash [rad] and the latency [s] of episode `seed`."""
        rng = np.random.default_rng([seed, 4])
        return float(np.radians(rng.uniform(*self._config.backlash_deg))), float(rng.uniform(*self._config.latency_s))

    def spoil(self, picture: np.ndarray) -> np.ndarray:
        """Give `picture` (height, width, 3) as this episode's cameras show it."""
        if not self._config.image_noise and not self._config.brightness:
            return picture
        spoilt = picture * np.float32(self._gain)
        if self._config.image_noise:
            pool = _pool(max(_LEAST_NOISE, 4 * picture.size))
            start = self._noise.integers(len(pool) - picture.size)
            noise = pool[start : start + picture.size].reshape(picture.shape)
            spoilt += np.float32(self._config.image_noise) * noise
        return np.clip(np.rint(spoilt, out=spoilt), 0, 255, out=spoilt).astype(np.uint8)

    def _light(self, rng: np.random.Generator) -> None:
        model, config = self._model, self._config
        for light in range(model.nlight):
            model.light_diffuse[light] *= _factor(rng, config.light)
            model.light_dir[light] = _turned(model.light_dir[light], _offset(rng, config.light_rad))

    def _move_cameras(self, rng: np.random.Generator) -> None:
        model, config = self._model, self._config
        for camera in range(model.ncam):
            model.cam_pos[camera] += _offset(rng, config.camera_m)
            turned = model.cam_quat[camera].copy()
            mujoco.mju_quatIntegrate(turned, _offset(rng, config.camera_rad), 1.0)
            model.cam_quat[camera] = turned

    def _paint(self, bodies: list[int], most: float, rng: np.random.Generator) -> None:
        model = self._model
        for body in bodies:
            first, count = model.body_geomadr[body], model.body_geomnum[body]
            color = model.geom_rgba[first : first + count, :3]
            color[:] = np.clip(color + _offset(rng, most), 0, 1)

    def _weigh(self, rng: np.random.Generator) -> None:
        """Change masses and friction."""
        model, config = self._model, self._config
        model.geom_friction[:, 0] *= [_factor(rng, config.friction) for _ in range(model.ngeom)]
        for body in self._things:
            factor = _factor(rng, config.mass)
            model.body_mass[body] *= factor
            model.body_inertia[body] *= factor
        if config.mass:
            mujoco.mj_setConst(model, mujoco.MjData(model))


def strew_distractors(world: World, count: int, seed: int) -> None:
    """Lay the distractors where the task's things lie, none in their way."""
    rng = np.random.default_rng([seed, 5])
    taken = [world.pose(name).position[:2] for name in world.task.objects]

    def room(place: np.ndarray) -> float:
        return min(world.task.room_m, *(float(np.linalg.norm(place - other)) for other in taken))

    for name in distractors(count):
        x, y = max((world.task.area.sample(rng) for _ in range(_TRIES)), key=room)
        taken.append(np.array([x, y]))
        world.place(name, x, y, rng.uniform(-math.pi, math.pi))


def lead_astray(world: World, share: float, seed: int) -> None:
    """Let the first arm begin anywhere over the table in a `share` of the episodes, where it touches nothing."""
    rng = np.random.default_rng([seed, 7])
    if rng.uniform() >= share:
        return
    model, data, arm = world.model, world.data, world.arm
    start, tree = arm.joints, model.body_rootid[model.body(arm.seat.hand).id]
    for _ in range(_TRIES):
        arm.place(start + rng.uniform(-_ASTRAY_RAD, _ASTRAY_RAD, len(start)))
        mujoco.mj_forward(model, data)
        if tree not in model.body_rootid[model.geom_bodyid[data.contact.geom]]:
            return
    arm.place(start)


@cache
def _pool(size: int) -> np.ndarray:
    """Draw `size` normal numbers."""
    return np.random.default_rng(8).standard_normal(size, np.float32)


def _arrays(model: mujoco.MjModel) -> dict[str, np.ndarray]:
    """Give views of all numbers of a model: what MuJoCo derives from one is found in many."""
    found = {name: getattr(model, name) for name in dir(model) if not name.startswith("_")}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray) and value.dtype != object}


def _trees_with_hinges(model: mujoco.MjModel) -> set[int]:
    """Give the roots of the kinematic trees that have hinges: the arms."""
    hinged = model.jnt_bodyid[model.jnt_type == mujoco.mjtJoint.mjJNT_HINGE]
    return set(model.body_rootid[hinged].tolist())


def _factor(rng: np.random.Generator, most: float) -> float:
    return 1.0 + rng.uniform(-most, most)


def _offset(rng: np.random.Generator, most: float) -> np.ndarray:
    return rng.uniform(-most, most, 3)


def _turned(vector: np.ndarray, by_rad: np.ndarray) -> np.ndarray:
    """Turn `vector` by the rotation vector `by_rad`."""
    turn, turned = np.array([1.0, 0, 0, 0]), np.zeros(3)
    mujoco.mju_quatIntegrate(turn, by_rad, 1.0)
    mujoco.mju_rotVecQuat(turned, vector, turn)
    return turned
