"""Joints seen as the hand's pose, and the reverse: what a policy sees and does in the space of the hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from etude.core.frame import ACTION, STATE
from etude.core.spec import Spec, Specs
from etude.hardware.kinematics.arm import Kinematics
from etude.transforms.arrays import Array, Values, like
from etude.transforms.pipeline import Pipeline
from etude.transforms.rename import Rename

_ITERATIONS = 30
_JOINTS = "joints"
"""Where the joints stay while the state tells of the hand."""
_LONE = 1
"""Axes of one action and of one state."""
_PITCH_ROLL, _TURN = ("pitch", "roll"), ("rx", "ry", "rz")


@dataclass(frozen=True, kw_only=True)
class HandFromJoints:
    """Tell state and action of an arm by its hand: place [m], pitch and roll, or rotation vector [rad], and gripper.

    It takes what an arm's driver gives: joints in degrees, the gripper, which comes last, in 0 to 100 and left so.
    """

    body: str = "so101"
    """Which arm it is: a known body, or a MJCF or URDF file whose joints are in the driver's order."""
    tool: str | None = None
    """The place on the hand that is told of; the body's own if not given."""

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with the hand's pose (..., pose) for joints (..., joint)."""
        return dict(frame) | {key: self._told(frame[key]) for key in (STATE, ACTION) if key in frame}

    @property
    def num_joints(self) -> int:
        """How many joints the arm has, the gripper's included."""
        return len(_arm(self.body, self.tool).joints)

    def inverse(self) -> JointsFromHand:
        """Give the transform that undoes this one for actions."""
        return JointsFromHand(body=self.body, tool=self.tool)

    def named(self, specs: Specs) -> dict[str, Spec]:
        """Describe what becomes of a frame like `specs`."""
        return dict(specs) | {key: self.spec(specs[key]) for key in (STATE, ACTION) if key in specs}

    def spec(self, joints: Spec) -> Spec:
        """Describe what becomes of state or action `joints`."""
        arm = _arm(self.body, self.tool)
        axes = ("x", "y", "z", *(_TURN if arm.wrist.pitch_joints is None else _PITCH_ROLL))
        names = (*(f"hand.{axis}" for axis in axes), *joints.names[arm.num_arm :])
        return Spec(shape=(len(names),), dtype=joints.dtype, names=names)

    def _told(self, joints: Array) -> Array:
        arm, values = _arm(self.body, self.tool), _numpy(joints)
        rows = values.reshape(-1, values.shape[-1])
        poses = [[*arm.pose(np.radians(row)).to_vector(), *row[arm.num_arm :]] for row in rows]
        return like(np.array(poses).reshape(*values.shape[:-1], -1), joints)


@dataclass(frozen=True, kw_only=True)
class StateAsHand:
    """Tell the state by the hand on the way out, for what undoes an action seen from there; the joints are kept."""

    body: str = "so101"
    tool: str | None = None

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with the hand's pose as its state."""
        if STATE not in frame:
            return dict(frame)
        told = HandFromJoints(body=self.body, tool=self.tool)({STATE: frame[STATE]})
        return dict(frame) | told | {_JOINTS: frame[STATE]}

    def inverse(self) -> Rename:
        """Give what leaves everything as it is: to tell actions by the hand is the last step's inverse's work."""
        return Rename(keys={})


@dataclass(frozen=True, kw_only=True)
class JointsFromHand:
    """Find the joints for actions told by the hand: the inverse of `HandFromJoints`.

    The frame's state is in joints, as the robot gives it, or was before `StateAsHand`; with an axis of time in batches
    where a policy looks back. The first action's joints are looked for from there, and each further one's of a chunk
    from those before, so that the arm keeps its posture. A pose that cannot be had becomes the nearest that can.
    """

    body: str = "so101"
    tool: str | None = None

    def __call__(self, frame: Values) -> dict[str, Array]:
        """Give the frame with actions in joints (..., joint), for one action or a chunk (..., time, pose)."""
        if ACTION not in frame:
            return dict(frame)
        action, state = _numpy(frame[ACTION]), _numpy(frame.get(_JOINTS, frame[STATE]))
        if state.ndim == action.ndim > _LONE:
            state = state[..., -1, :]
        has_time = action.ndim > state.ndim
        chunks = action.reshape(-1, *action.shape[-2:]) if has_time else action.reshape(-1, 1, action.shape[-1])
        starts = state.reshape(-1, state.shape[-1])
        found = np.array([self._found(*pair) for pair in zip(chunks, starts, strict=True)])
        return dict(frame) | {ACTION: like(found.reshape(*action.shape[:-1], -1), frame[ACTION])}

    def inverse(self) -> HandFromJoints:
        """Give the transform that undoes this one."""
        return HandFromJoints(body=self.body, tool=self.tool)

    def _found(self, chunk: np.ndarray, state: np.ndarray) -> list[np.ndarray]:
        arm = _arm(self.body, self.tool)
        joints, found = np.radians(state[: arm.num_arm]), list[np.ndarray]()
        size = len(arm.pose(joints).to_vector())
        for action in chunk:
            joints = arm.follow(arm.pose_from(action[:size]), joints, iterations=_ITERATIONS).joints
            found.append(np.append(np.degrees(joints), action[size:]))
        return found


def in_hand_space(inner: Pipeline, told: HandFromJoints) -> Pipeline:
    """Let a pipeline that was made for the hand's poses be fed with joints, and give joints."""
    before = StateAsHand(body=told.body, tool=told.tool)
    return Pipeline((told, *inner.inputs), (before, *inner.outputs, told.inverse()))


@cache
def _arm(body: str, tool: str | None) -> Kinematics:
    return Kinematics.of(body, tool=tool)


def _numpy(value: Any) -> np.ndarray:
    """Give an array or tensor as float64 numpy."""
    return np.asarray(value if isinstance(value, np.ndarray) else value.detach().cpu().numpy(), np.float64)
