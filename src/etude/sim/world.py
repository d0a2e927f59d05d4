"""One simulated table with an arm on it, shared by everything in the process that touches it."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

import math
import weakref
from collections.abc import Callable

import numpy as np

from etude.core.clock import Clock, SimClock
from etude.hardware.bodies.body import Link
from etude.hardware.bodies.so101 import SO101
from etude.hardware.physics import mujoco
from etude.sim import scene
from etude.sim.moves import Pose
from etude.sim.objects import BLOCK_HALF_M
from etude.sim.pictures import Pictures
from etude.sim.servos.feetech.servo import ServoChain, Sts3215
from etude.sim.task import Task
from etude.sim.tasks import tasks

DEFAULT_TASK = "pick_place"

START_RAD = np.radians([0.0, -60.0, 50.0, 75.0, 0.0, 10.0])
"""Joint positions at the start of an episode, before jitter."""
START_JITTER_RAD = 0.03

_RESTING_M_S = 0.02
_OPEN_RAD = math.radians(20)
"""Well over the 8 degrees at which the fingers hold a block."""
_ALMOST_ONE_STEP = 1 - 1e-6


class World:
    """A table, an SO-101 with its servos, and two cameras; time passes only while somebody waits on `clock`.

    It is the `Scene` behind a simulated robot. The servos are driven by bytes alone, as real ones are; joint positions
    and the poses of things are privileged state, for demonstrators and tests.
    """

    def __init__(self, config: object | None = None) -> None:
        """Set the table for the task that `config` belongs to; pick-and-place if none is given."""
        self.task: Task = tasks.build(tasks.config(DEFAULT_TASK)() if config is None else config)
        self.model = scene.compile_scene(self.task)
        self.data = mujoco.MjData(self.model)
        advance = weakref.WeakMethod(self._advance)  # a strong one would make a cycle, and the world outlive its users
        self.clock: Clock = SimClock(lambda elapsed_s: _call(advance, elapsed_s))
        self.servos = tuple(_calibrated_servo(number, link) for number, link in enumerate(SO101.links, 1))
        self._chain = ServoChain(self.servos)
        self._pictures = Pictures(self.model)
        # Views into MuJoCo's own memory: looking them up anew in every physics step would cost a tenth of its time.
        arm = slice(len(SO101.joints))
        self._position, self._velocity = self.data.qpos[arm], self.data.qvel[arm]
        self._force = self.data.qfrc_applied[arm]
        self._fingers = [self.model.geom(name).id for name in SO101.fingers]
        self._due_s = 0.0
        self._push_nm = np.zeros(len(SO101.joints))
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Place the arm near its start and things where the task wants them, everything at rest, as `seed` says."""
        rng = np.random.default_rng(seed)
        mujoco.mj_resetData(self.model, self.data)
        self._due_s, self._push_nm = 0.0, np.zeros(len(SO101.joints))
        self._position[:] = START_RAD + rng.uniform(-START_JITTER_RAD, START_JITTER_RAD, len(SO101.joints))
        self.task.reset(self, rng)
        for servo, position in zip(self.servos, self.joints, strict=True):
            servo.torque(position, 0.0, 0.0)  # let the encoder see where the joint was put
            servo.drive.hold()

    def place(self, name: str, x: float, y: float, yaw: float, z: float = BLOCK_HALF_M) -> None:
        """Put the centre of thing `name` at `x`, `y`, `z` [m], turned by `yaw` [rad] and at rest."""
        joint = self.data.joint(name)
        joint.qpos[:] = [x, y, z, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
        joint.qvel[:] = 0
        mujoco.mj_forward(self.model, self.data)

    @property
    def joints(self) -> np.ndarray:
        """Joint positions [rad], in motor order."""
        return self._position.copy()

    def pose(self, name: str) -> Pose:
        """Give where thing `name` is."""
        body = self.data.body(name)
        return Pose(position=body.xpos.copy(), axes=body.xmat.reshape(3, 3).copy())

    def is_resting(self, name: str) -> bool:
        """Whether thing `name` moves at less than 2 cm/s."""
        return bool(np.linalg.norm(self.data.joint(name).qvel[:3]) < _RESTING_M_S)

    def is_grasped(self, name: str) -> bool:
        """Whether both fingers touch thing `name`."""
        pairs = self.data.contact.geom
        touching = pairs[(pairs == self.model.geom(name).id).any(axis=1)]
        return all((touching == finger).any() for finger in self._fingers)

    def is_gripper_open(self) -> bool:
        """Whether the fingers have let go."""
        return bool(self.joints[-1] > _OPEN_RAD)

    def success(self) -> bool:
        """Whether the task is done, right now."""
        return self.task.success(self)

    def push(self, torque_nm: np.ndarray) -> None:
        """Let somebody push the arm from now on: one torque [Nm] per joint, zeros for hands off."""
        self._push_nm = np.asarray(torque_nm, np.float64)

    def exchange(self, data: bytes) -> bytes:
        """Send `data` to the servos and give what they answer; no time passes."""
        return self._chain.exchange(data)

    def render(self, view: str, height: int, width: int) -> np.ndarray:
        """Draw what camera `view` sees now: uint8 (height, width, 3), RGB."""
        return self._pictures.take(self.data, view, height, width)

    def close(self) -> None:
        """Free what the cameras needed; the world itself ends when nobody holds it."""
        self._pictures.close()

    def _advance(self, elapsed_s: float) -> None:
        """Take as many whole physics steps as have become due; the rest of the time is kept for later."""
        self._due_s += elapsed_s
        while self._due_s >= scene.TIMESTEP_S * _ALMOST_ONE_STEP:
            self._due_s -= scene.TIMESTEP_S
            self._step()

    def _step(self) -> None:
        state = zip(self.servos, self._position.tolist(), self._velocity.tolist(), strict=True)
        self._force[:] = [servo.torque(position, velocity, scene.TIMESTEP_S) for servo, position, velocity in state]
        self._force += self._push_nm
        mujoco.mj_step(self.model, self.data)


def _calibrated_servo(number: int, link: Link) -> Sts3215:
    """Make a servo that holds what calibrating its joint leaves behind; LeRobot gives `wrist_roll` a whole turn."""
    center = SO101.gripper_center_rad if link.joint == "gripper" else 0.0
    return Sts3215(number, center_rad=center, range_rad=None if link.joint == "wrist_roll" else link.range_rad)


def _call(method: weakref.WeakMethod[Callable[[float], None]], elapsed_s: float) -> None:
    if alive := method():
        alive(elapsed_s)


_newest: weakref.ref[World] | None = None


def shared_world() -> World:
    """Give the world that this process's robot, cameras and demonstrator share; it lives while one of them holds it."""
    global _newest  # noqa: PLW0603  sharing through the process is what this is for
    world = _newest() if _newest else None
    if world is None:
        world = World()
        _newest = weakref.ref(world)
    return world
