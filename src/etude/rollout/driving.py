"""Who drives what: makes an agent of a teleoperator for a robot, or says why the two do not fit.

A teleoperator that copies a pose, such as a leader arm, names joints (`elbow_flex.pos`) and is followed as it is. One
that cannot know where the arm is, such as a keyboard, names steps per tick: of a joint in the arm's units
(`elbow_flex.step`), or of the hand (`hand.x.step` [m], `hand.pitch.step` [rad]) in the arm's base frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from etude.core.errors import UserError
from etude.core.frame import STATE, Frame
from etude.hardware.arm_kind import ArmKind
from etude.hardware.device import Robot, Teleoperator
from etude.hardware.teleoperators.steps import HAND_AXES, STEP
from etude.rollout.agents import Agent, TeleoperatorAgent
from etude.rollout.hand import HandMover

POS = ".pos"
REACH = 10.0
"""How far ahead of the measured pose steps may lead a joint [the arm's units]."""


class Mover(Protocol):
    """Moves some of a robot's joints by some of a teleoperator's steps."""

    def move(self, goal: np.ndarray, steps: np.ndarray) -> None:
        """Change `goal` (joint,) in place by `steps` (step,)."""
        ...

    def forget(self) -> None:
        """Take nothing for granted at the next move: the goal was changed by others."""
        ...


def agent_for(teleoperator: Teleoperator, robot: Robot) -> Agent:
    """Make the agent by which `teleoperator` drives `robot`; raise `UserError` where it cannot."""
    given, taken = teleoperator.action.names, robot.action.names
    if given == taken:
        _check_units(teleoperator, robot)
        return TeleoperatorAgent(teleoperator)
    if given and all(name.endswith(STEP) for name in given):
        return StepAgent(teleoperator, robot, _movers(given, robot))
    if sorted(given) == sorted(taken):
        _check_units(teleoperator, robot)
        return ReorderedAgent(teleoperator, [given.index(name) for name in taken])
    raise UserError(_misfit(given, taken))


class ReorderedAgent:
    """A teleoperator that names the robot's joints in another order."""

    def __init__(self, teleoperator: Teleoperator, order: Sequence[int]) -> None:
        self._teleoperator, self._order = teleoperator, list(order)

    def reset(self, seed: int) -> None:
        """Tell the teleoperator that a new episode begins."""
        self._teleoperator.reset(seed)

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give what the teleoperator wants now, in the robot's order."""
        del frame
        action = self._teleoperator.read()
        return None if action is None else action[self._order]


class StepAgent:
    """Adds up a teleoperator's steps, from where the robot is at first and never far ahead of where it is."""

    def __init__(self, teleoperator: Teleoperator, robot: Robot, movers: Sequence[Mover]) -> None:
        self._teleoperator, self._movers = teleoperator, movers
        state = robot.observation[STATE].names
        self._measured = [state.index(name) for name in robot.action.names]
        self._goal: np.ndarray | None = None

    def reset(self, seed: int) -> None:
        """Forget where the last episode led, and tell the teleoperator."""
        self._goal = None
        self._teleoperator.reset(seed)

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the joints wanted now; without steps they stay as they were wanted, so that nothing sags or drifts."""
        steps = self._teleoperator.read()
        if steps is None:
            return None
        measured = frame[STATE][self._measured].astype(np.float64)
        goal = self._bounded(measured if self._goal is None else self._goal, measured)
        for mover in self._movers:
            mover.move(goal, np.where(np.isfinite(steps), steps, 0.0).astype(np.float64))
        self._goal = self._bounded(goal, measured)
        return self._goal.astype(np.float32)

    def _bounded(self, goal: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """Keep `goal` within reach of where the robot is; what is held back is not made up for later."""
        near = np.clip(goal, measured - REACH, measured + REACH)
        if self._goal is None or not np.array_equal(near, goal):
            for mover in self._movers:
                mover.forget()
        return near


class JointMover:
    """Moves one joint."""

    def __init__(self, joint: int, step: int) -> None:
        self._joint, self._step = joint, step

    def move(self, goal: np.ndarray, steps: np.ndarray) -> None:
        """Add the step."""
        goal[self._joint] += steps[self._step]

    def forget(self) -> None:
        """Nothing is remembered."""


def _movers(given: Sequence[str], robot: Robot) -> list[Mover]:
    """Find out which joints each of the steps `given` moves; joints that none moves are held."""
    taken = robot.action.names
    steps = {name.removesuffix(STEP): column for column, name in enumerate(given)}
    hands = sorted({prefix for name in steps if (prefix := _hand_prefix(name)) is not None})
    joints = [name for name in steps if _hand_prefix(name) is None]
    if [name for name in joints if name + POS not in taken]:
        raise UserError(_misfit(given, taken))
    movers: list[Mover] = [JointMover(taken.index(name + POS), steps[name]) for name in joints]
    return movers + [_hand_mover(prefix, steps, joints, robot) for prefix in hands]


def _hand_prefix(name: str) -> str | None:
    """Give what stands before `hand.x` and its like, such as `left_` of a second arm; none for a joint."""
    prefix, found, axis = name.rpartition("hand.")
    return prefix if found and axis in HAND_AXES else None


def _hand_mover(prefix: str, steps: Mapping[str, int], joints: Sequence[str], robot: Robot) -> HandMover:
    kind = _kinds(robot).get(prefix)
    if kind is None or not kind.body:
        raise UserError(
            f"This teleoperator moves the hand, for which the robot's body must be known; that of '{robot.name}' is "
            f"not. Move its joints instead: --teleop.mode=joints, or a leader arm."
        )
    if not getattr(robot, "uses_degrees", True):
        raise UserError(
            "This teleoperator moves the hand, for which the robot's joints must be told in degrees. "
            "Add --robot.use_degrees=true, or move its joints instead: --teleop.mode=joints."
        )
    from etude.hardware.kinematics import Kinematics  # noqa: PLC0415 - only a hand needs MuJoCo

    arm = Kinematics.of(kind.body, joints=[motor for motor in kind.motors if motor != kind.gripper])
    moved = arm.joints[: arm.num_arm]
    if both := [joint for joint in moved if prefix + joint in joints]:
        raise UserError(f"A teleoperator moves either the hand or {', '.join(both)}, not both.")
    columns = {axis: steps[f"{prefix}hand.{axis}"] for axis in HAND_AXES if f"{prefix}hand.{axis}" in steps}
    return HandMover(arm, columns, [robot.action.names.index(prefix + joint + POS) for joint in moved])


def _kinds(robot: Robot) -> Mapping[str, ArmKind | None]:
    """Give the makes of the robot's arms by the prefix of their joints."""
    return getattr(robot, "kinds", None) or {"": getattr(robot, "kind", None)}


def _check_units(teleoperator: Teleoperator, robot: Robot) -> None:
    """Refuse a leader that speaks of degrees where its follower speaks of shares of the range, or the reverse."""
    leader, follower = (getattr(device, "uses_degrees", None) for device in (teleoperator, robot))
    if leader is None or follower is None or leader == follower:
        return
    speak = {True: "degrees", False: "-100 to 100 of the range"}
    raise UserError(
        f"The leader tells its joints in {speak[leader]} and the robot takes {speak[follower]}. "
        f"Let the robot speak as the leader does: --robot.use_degrees={str(leader).lower()}."
    )


def _misfit(given: Sequence[str], taken: Sequence[str]) -> str:
    """Say which names two devices do not share, and what would fit."""
    joints = [name.removesuffix(POS) for name in taken]
    wanted = [name.removesuffix(POS).removesuffix(STEP) for name in given]
    unknown = [name for name in wanted if name not in joints and _hand_prefix(name) is None]
    missing = [] if given and given[0].endswith(STEP) else [name for name in joints if name not in wanted]
    parts = [f"it moves {', '.join(unknown)}, which the robot does not have"] if unknown else []
    parts += [f"it does not move the robot's {', '.join(missing)}"] if missing else []
    return (
        f"This teleoperator does not fit the robot: {', and '.join(parts) or 'their actions differ'}. The robot's "
        f"joints are {', '.join(joints)}. A leader arm of the same joints fits, and so does --teleop.type=keyboard "
        f"or gamepad with --teleop.mode=joints --teleop.joints {' '.join(joints)}."
    )
