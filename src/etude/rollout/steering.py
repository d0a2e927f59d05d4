"""A person's hand on a rollout, whoever acts: she ends it, or has the arm held where it is."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from etude.core.frame import STATE, Frame
from etude.hardware.device import Robot
from etude.rollout.agents import Agent

HELD = "it is held by the space bar"
_THERE, _NEARER = 2.0, 0.1
"""How near to a pose is there, and what counts as coming nearer [the robot's units]."""
_PATIENCE_S = 0.5
"""How long an arm may come no nearer until it is as near as it gets."""


class Wishes(Protocol):
    """What the person wants now."""

    is_ended: bool
    """Whether the rollout is to end."""
    is_held: bool
    """Whether the arm is to be held."""

    def look(self) -> None:
        """Find out; never waits. Raises `KeyboardInterrupt` when all is to be broken off."""
        ...


class Gap:
    """How far a robot is from where it is wanted."""

    def __init__(self, robot: Robot) -> None:
        state, self._names = robot.observation[STATE].names, robot.action.names
        self.columns = [state.index(name) for name in self._names if name in state]
        """Of the state, those that tell of what is acted on."""

    def worst(self, action: np.ndarray, frame: Frame) -> tuple[str, float] | None:
        """Give the joint that is farthest off and by how much in its units; none where it cannot be told."""
        if len(self.columns) != len(action):
            return None
        apart = np.abs(action - frame[STATE][self.columns])
        joint = int(apart.argmax())
        return self._names[joint].removesuffix(".pos"), float(apart[joint])


class Approach:
    """Goes to `pose` (joint,) as gently as the robot's gate starts; done when it is there or comes no nearer.

    `was_off` tells how far it was at first, see `Gap.worst`.
    """

    def __init__(self, pose: np.ndarray, robot: Robot, hz: float) -> None:
        self._pose, self._gap, self._patience = pose, Gap(robot), round(_PATIENCE_S * hz)
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Begin anew."""
        del seed
        self.was_off: tuple[str, float] | None = None
        self._best, self._in_vain = np.inf, 0

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the pose until it is reached."""
        gap = self._gap.worst(self._pose, frame)
        if gap is None:
            return None
        self.was_off = self.was_off or gap
        is_nearer = gap[1] < self._best - _NEARER
        self._best, self._in_vain = min(self._best, gap[1]), 0 if is_nearer else self._in_vain + 1
        return None if gap[1] < _THERE or self._in_vain > self._patience else self._pose


class Stay:
    """Holds the robot where it is."""

    def __init__(self, robot: Robot) -> None:
        self._columns = Gap(robot).columns
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Stay where the robot is next."""
        del seed
        self._pose: np.ndarray | None = None

    def act(self, frame: Frame) -> np.ndarray:
        """Give the pose in which the robot was seen first, float32 (joint,)."""
        if self._pose is None:
            self._pose = frame[STATE][self._columns].astype(np.float32)
        return self._pose


class Steered:
    """Any agent, until a person ends it. While she has the arm held the agent is not asked, and the arm stays.

    `gap` tells how far the robot is from where the agent wants it, see `Gap.worst`.
    """

    def __init__(self, agent: Agent, robot: Robot, wishes: Wishes) -> None:
        self._agent, self._robot, self._wishes = agent, robot, wishes
        self._gap, self._stay, self._is_held = Gap(robot), Stay(robot), False
        self.gap: tuple[str, float] | None = None

    def reset(self, seed: int) -> None:
        """Reset the agent."""
        self._agent.reset(seed)

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the agent's action, the pose at which the arm is held, or none once ended."""
        self._wishes.look()
        if self._wishes.is_held != self._is_held:  # also at the end: the next rollout does not know of it
            self._is_held = self._wishes.is_held
            self._stay.reset(0)
            _tell(self._robot, *(("stop", HELD) if self._is_held else ("resume",)))
        if self._wishes.is_ended:
            return None
        if self._is_held:
            return self._stay.act(frame)
        action = self._agent.act(frame)
        self.gap = None if action is None else self._gap.worst(action, frame)
        return action


def _tell(robot: Robot, what: str, *why: str) -> None:
    """Tell the robot's safety gate, where it has one; others are held by what they are sent."""
    if act := getattr(robot, what, None):
        act(*why)
