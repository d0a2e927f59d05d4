"""Who decides the next action: a policy, a person, a recording, or a mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from etude.core.frame import Frame
from etude.hardware.device import Teleoperator
from etude.rollout.policy_agent import PolicyAgent

__all__ = ["Agent", "PolicyAgent", "ReplayAgent", "TeleoperatorAgent", "UntilStopped"]


@runtime_checkable
class Agent(Protocol):
    """Decides the next action."""

    def reset(self, seed: int) -> None:
        """Forget the last episode."""
        ...

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the action for `frame`, or none when there is nothing more to do."""
        ...


class TeleoperatorAgent:
    """A person, or what stands in for one, at a teleoperator."""

    def __init__(self, teleoperator: Teleoperator) -> None:
        self._teleoperator = teleoperator

    def reset(self, seed: int) -> None:
        """Tell the teleoperator that a new episode begins."""
        self._teleoperator.reset(seed)

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give what the teleoperator wants now."""
        del frame
        return self._teleoperator.read()


class ReplayAgent:
    """Plays recorded actions (time, action), once."""

    def __init__(self, actions: np.ndarray) -> None:
        self._actions, self._tick = actions, 0

    def reset(self, seed: int) -> None:
        """Start again from the first action."""
        del seed
        self._tick = 0

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the next recorded action, or none after the last."""
        del frame
        if self._tick >= len(self._actions):
            return None
        self._tick += 1
        return self._actions[self._tick - 1]


class UntilStopped:
    """Any agent, until `stopped` says so: how Ctrl-C and a Stop button end a rollout in good order."""

    def __init__(self, agent: Agent, stopped: Callable[[], bool]) -> None:
        self._agent, self._stopped = agent, stopped

    def reset(self, seed: int) -> None:
        """Reset the agent."""
        self._agent.reset(seed)

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the agent's action, or none once stopped."""
        return None if self._stopped() else self._agent.act(frame)
