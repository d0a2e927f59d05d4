"""One simulated table with arms on it, shared by everything in the process that touches it."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
import weakref
from collections.abc import Callable

import numpy as np

from etude.core.clock import Clock, SimClock
from etude.core.frame import Frame
from etude.hardware.physics import mujoco
from etude.sim import poses, scene
from etude.sim.arms import Arms
from etude.sim.moves import Pose
from etude.sim.objects import BLOCK_HALF_M
from etude.sim.pictures import Pictures
from etude.sim.randomizer import Randomizer, lead_astray, strew_distractors
from etude.sim.sim_arm import SimArm
from etude.sim.stage import chosen
from etude.sim.task import Task
from etude.sim.task_config import TaskConfig
from etude.sim.tasks import tasks

_RESTING_M_S = 0.02
_OPEN_RAD = math.radians(20)
"""Well over the 8 degrees at which the fingers hold a block."""
_ALMOST_ONE_STEP = 1 - 1e-6


class World:
    """A table with arms, their servos, and cameras; time passes only while somebody waits on `clock`.

    It is the `Scene` behind simulated robots. Arms join before anything moves or is looked at: then the scene is built,
    with an SO-101 if there is none. The poses of things are privileged state, for demonstrators and tests.
    """

    def __init__(self, config: TaskConfig | None = None) -> None:
        """Set the table for the task that `config` belongs to; by default what is on stage."""
        config = chosen() if config is None else config
        self.task: Task = tasks.build(config)
        self._randomization = config.randomization
        self.observation = poses.specs(self.task.objects) if config.poses else {}
        advance = weakref.WeakMethod(self._advance)  # a strong one would make a cycle, and the world outlive its users
        self.clock: Clock = SimClock(lambda elapsed_s: _call(advance, elapsed_s))
        self.arms = Arms(self.clock)
        self._due_s = 0.0
        self.num_resets = 0
        """How often the table was set."""
        self.unplugged: set[str] = set()
        """Views whose camera gives no pictures, as if its cable were pulled."""

    @property
    def arm(self) -> SimArm:
        """The first follower."""
        self.start()
        return self.arms.first

    @property
    def model(self) -> mujoco.MjModel:
        """The scene as MuJoCo compiled it."""
        self.start()
        return self._model

    @property
    def data(self) -> mujoco.MjData:
        """The scene's state."""
        self.start()
        return self._data

    def start(self) -> None:
        """Build the scene if it is not there yet; no follower can join from now on."""
        if self.arms.are_complete:
            return
        arms = self.arms.complete()
        distractors = self._randomization.distractors
        self._model = scene.compile_scene(self.task, [arm.seat for arm in arms], distractors)
        self._randomizer = Randomizer(self._randomization, self._model, self.task.objects)
        self._data, self._pictures = mujoco.MjData(self._model), Pictures(self._model)
        self._bodies = {self._model.body(number).name: number for number in range(self._model.nbody)}
        for arm in arms:
            arm.live_in(self._model, self._data)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Place the arms near their start and things where the task wants them, everything at rest, as `seed` says."""
        self.start()
        rng = np.random.default_rng(seed)
        mujoco.mj_resetData(self.model, self.data)
        self._due_s = 0.0
        self.num_resets += 1
        self._randomizer.apply(seed)
        for arm in self.arms:
            arm.wear_out(*self._randomizer.draw_wear(seed))
        self.arms.reset(seed, rng)
        self.task.reset(self, rng)
        strew_distractors(self, self._randomization.distractors, seed)
        lead_astray(self, self._randomization.astray, seed)
        self.arms.settle(seed)

    def place(self, name: str, x: float, y: float, yaw: float, z: float = BLOCK_HALF_M) -> None:
        """Put the centre of thing `name` at `x`, `y`, `z` [m], turned by `yaw` [rad] and at rest."""
        joint = self.data.joint(name)
        joint.qpos[:] = [x, y, z, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
        joint.qvel[:] = 0
        mujoco.mj_forward(self.model, self.data)

    def pose(self, name: str) -> Pose:
        """Give where thing `name` is."""
        body = self._bodies[name]
        return Pose(position=self._data.xpos[body].copy(), axes=self._data.xmat[body].reshape(3, 3).copy())

    def observe(self) -> Frame:
        """Tell where things are, if the task's config asks for it."""
        return poses.frame(map(self.pose, self.task.objects)) if self.observation else {}

    def is_resting(self, name: str) -> bool:
        """Whether thing `name` moves at less than 2 cm/s."""
        first = self._model.body_dofadr[self._bodies[name]]
        return bool(np.linalg.norm(self._data.qvel[first : first + 3]) < _RESTING_M_S)

    def is_grasped(self, name: str) -> bool:
        """Whether all fingers of an arm touch thing `name`."""
        geom = int(self._model.body_geomadr[self._bodies[name]])
        touching = {other for pair in self._data.contact.geom.tolist() if geom in pair for other in pair}
        return any(arm.is_held_by_fingers(touching) for arm in self.arms)

    def is_gripper_open(self) -> bool:
        """Whether the fingers have let go."""
        return bool(self.arm.joints[-1] > _OPEN_RAD)

    def success(self) -> bool:
        """Whether the task is done, right now."""
        self.start()
        return self.task.success(self)

    def render(self, view: str, height: int, width: int) -> np.ndarray:
        """Draw what camera `view` sees now: uint8 (height, width, 3), RGB."""
        self.start()
        return self._randomizer.spoil(self._pictures.take(self._data, view, height, width))

    def render_depth(self, view: str, height: int, width: int) -> np.ndarray:
        """Measure how far ahead of camera `view` things are: uint16 (height, width, 1) [mm]."""
        self.start()
        return self._pictures.measure(self._data, view, height, width)

    def close(self) -> None:
        """Free what the cameras needed; the world itself ends when nobody holds it."""
        if self.arms.are_complete:
            self._pictures.close()

    def _advance(self, elapsed_s: float) -> None:
        """Take as many whole physics steps as have become due; the rest of the time is kept for later."""
        self.start()
        self._due_s += elapsed_s
        while self._due_s >= scene.TIMESTEP_S * _ALMOST_ONE_STEP:
            self._due_s -= scene.TIMESTEP_S
            self._step()

    def _step(self) -> None:
        for arm in self.arms:
            arm.step(scene.TIMESTEP_S)
        mujoco.mj_step(self._model, self._data)


def _call(method: weakref.WeakMethod[Callable[[float], None]], elapsed_s: float) -> None:
    if alive := method():
        alive(elapsed_s)


_newest: weakref.ref[World] | None = None


def shared_world() -> World:
    """Give the world that this process's robot, cameras and demonstrator share; it lives while one of them holds it."""
    world = _newest() if _newest else None
    return begin_world() if world is None else world


def begin_world(config: TaskConfig | None = None) -> World:
    """Begin another world, for whoever connects from now on; those who share an earlier one keep it."""
    global _newest  # noqa: PLW0603  sharing through the process is what this is for
    world = World(config)
    _newest = weakref.ref(world)
    return world
