"""The scripted demonstrator: sees everything, wants the next few millimetres, and knows how the servos sag."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from etude.core.clock import passed_s
from etude.core.errors import DeviceError
from etude.core.spec import Spec
from etude.hardware.bodies.so101 import SO101
from etude.hardware.device import Teleoperator
from etude.hardware.kinematics import HandPose, Kinematics
from etude.sim.moves import OPEN_RAD, Style, View, Wish, length
from etude.sim.servos.feetech.models import C001
from etude.sim.teleoperators.scripted.config import Config
from etude.sim.teleoperators.scripted.lapses import Lapses
from etude.sim.teleoperators.scripted.pushes import Pushes
from etude.sim.teleoperators.scripted.retreat import Retreat
from etude.sim.world import World, shared_world

STIFFNESS_NM_RAD = 16 * 0.166 * C001.supply_v * C001.kt / C001.resistance
"""Of a servo with the follower's P gain of 16: it sags by the torque it bears over this."""
_LOW_DEG, _HIGH_DEG = np.degrees([link.range_rad for link in SO101.links]).T
LEAD_M = 0.016
"""How far the command runs ahead of the hand, at speed 1; the servos follow at 15 times that per second."""
_LEAD_GAIN = 1.5
"""Aiming a little past the goal overcomes the joints' friction near it."""
_NEVER_STRAIGHT = {"elbow_flex": (-1.1, SO101.links[2].range_rad[1])}
"""The arm is straight at -1.29, since the elbow sits 28 mm beside the upper arm's axis, and could bend over there."""
_ROLL_LEAD_RAD = 0.25
_PITCH_LEAD_RAD = 0.2
_STEPS = 2
"""Of the solver: a goal so close is then met to a fraction of a millimetre."""
_LOW_M = 0.05
_LOW_PUSH = 0.45
"""Pushes are gentler below `_LOW_M`, where the fingers are at the block."""


def build(config: Config) -> Teleoperator:
    """Make the demonstrator; it joins the world when it connects."""
    return ScriptedDemonstrator(config)


class ScriptedDemonstrator:
    """Drives this process's simulated arm, in the units of its driver: degrees, the gripper 0 to 100."""

    def __init__(self, config: Config) -> None:
        self.action = Spec(shape=(len(SO101.joints),), names=tuple(f"{joint}.pos" for joint in SO101.joints))
        self._config = config
        self._kinematics = Kinematics.of("so101", tool="pinch", limits=_NEVER_STRAIGHT)
        self._world: World | None = None
        self._begin(0, 0.0)

    def connect(self) -> None:
        """Join the world."""
        if self._world is None:
            self._world = shared_world()

    def disconnect(self) -> None:
        """Take the hands off and leave the world."""
        if self._world is not None:
            self._world.arm.push(np.zeros(len(SO101.joints)))
            self._world = None

    def reset(self, seed: int) -> None:
        """Choose this episode's style."""
        self._begin(seed, self._joined().clock.now())

    def read(self) -> np.ndarray | None:
        """Give the next command, or none when the task is done or patience is at its end."""
        world = self._joined()
        now = passed_s(self._begun_s, world.clock.now())
        if world.success() or now > (self._config.max_seconds or world.task.patience_s):
            world.arm.push(np.zeros(len(SO101.joints)))
            return None
        joints, view = world.arm.joints, self._look(world)
        elapsed_s, self._read_s = passed_s(self._read_s, now), now
        self._push(world, now, elapsed_s, view.hand[2])
        slips = self._lapses.is_slipping(elapsed_s, holds=bool(view.grasped))
        if self._last is None or not self._lapses.is_pausing(now):
            style = self._turned_style if self._retreat.count % 2 else self._style
            wish = self._retreat.reconsider(world.task.decide(view, style), view, now)
            self._last = _to_driver(self._command(wish, view, joints))
        return _with_open_fingers(self._last) if slips else self._last.copy()

    def consider(self) -> tuple[View, Wish]:
        """Tell what it sees now and what it would do, without doing it: to watch somebody else at the task."""
        world = self._joined()
        view = self._look(world)
        return view, world.task.decide(view, self._style)

    def _begin(self, seed: int, now_s: float) -> None:
        rng = np.random.default_rng([seed, 1])  # apart from the world's own draws with this seed
        self._style = Style.sample(rng, self._config.speed)
        self._turned_style = replace(self._style, is_turned=True)
        self._pushes = Pushes(rng, self._config.noise) if self._config.noise else None
        lapses = np.random.default_rng([seed, 5])
        self._lapses = Lapses(lapses, pause_s=self._config.pause_s, slips=self._config.slips)
        self._retreat = Retreat(0.0)
        self._begun_s, self._read_s = now_s, 0.0
        self._last: np.ndarray | None = None

    def _joined(self) -> World:
        if self._world is None:
            raise DeviceError("The scripted demonstrator is not connected. Call connect() first.")
        return self._world

    def _look(self, world: World) -> View:
        joints = world.arm.joints
        hand, hand_axes = self._kinematics.forward(joints)
        return View(
            hand=hand,
            hand_axes=hand_axes,
            gripper_rad=float(joints[-1]),
            objects={name: world.pose(name) for name in world.task.objects},
            grasped=frozenset(name for name in world.task.objects if world.is_grasped(name)),
        )

    def _command(self, wish: Wish, view: View, joints: np.ndarray) -> np.ndarray:
        """Give joint targets [rad] a short way ahead of `joints` towards the wish, gravity's sag taken into account."""
        pitch, roll = self._kinematics.pose(joints).to_vector()[3:]
        pose = HandPose(
            position=view.hand + _bounded(_LEAD_GAIN * (wish.position - view.hand), self._style.speed * LEAD_M),
            pitch=pitch + _clipped(math.pi / 2 - pitch, _PITCH_LEAD_RAD),
            roll=roll + _clipped(_LEAD_GAIN * (wish.roll - roll), self._style.speed * _ROLL_LEAD_RAD),
        )
        ahead = self._kinematics.follow(pose, joints, iterations=_STEPS).joints
        sag = self._kinematics.gravity(joints)[:-1] / STIFFNESS_NM_RAD
        return np.array([*(ahead + sag).tolist(), wish.gripper_rad])

    def _push(self, world: World, now_s: float, elapsed_s: float, height_m: float) -> None:
        if self._pushes is None:
            return
        aside = self._pushes.at(now_s, elapsed_s)
        gentleness = _LOW_PUSH if height_m < _LOW_M else 1.0
        world.arm.push(np.append(gentleness * STIFFNESS_NM_RAD * aside, 0.0))


def _to_driver(joints: np.ndarray) -> np.ndarray:
    """Convert joint positions [rad] to the driver's units, within the joint limits."""
    degrees = np.minimum(np.maximum(np.degrees(joints), _LOW_DEG), _HIGH_DEG)
    degrees[-1] = 100 * (degrees[-1] - _LOW_DEG[-1]) / (_HIGH_DEG[-1] - _LOW_DEG[-1])
    return degrees.astype(np.float32)


def _with_open_fingers(command: np.ndarray) -> np.ndarray:
    """Give `command`, in the driver's units, with the gripper open."""
    low, high = SO101.links[-1].range_rad
    return np.append(command[:-1], np.float32(100 * (OPEN_RAD - low) / (high - low)))


def _bounded(vector: np.ndarray, longest: float) -> np.ndarray:
    return vector * min(1.0, longest / max(length(vector), 1e-9))


def _clipped(value: float, most: float) -> float:
    return max(-most, min(most, value))
