"""Who decides the next action: a policy, a person, a recording, or a mix."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from etude.core.frame import Frame
from etude.hardware.device import Teleoperator


@runtime_checkable
class Agent(Protocol):
    """Decides the next action."""

    def reset(self, seed: int) -> None:
        """Forget the last episode."""
        ...

    def act(self, frame: Frame) -> np.ndarray | None:
        """Give the action for `frame`, or none when there is nothing more to do."""
        ...


@runtime_checkable
class ChunkPolicy(Protocol):
    """A policy as an agent sees it: one frame in, one chunk out, both in the robot's units."""

    @property
    def past(self) -> tuple[int, ...]:
        """Ticks it looks at, such as (-1, 0); the frame then has an axis of time. None for this tick alone."""
        ...

    def act(self, frame: Frame) -> np.ndarray:
        """Give a chunk (time, action)."""
        ...


class PolicyAgent:
    """Plays a policy's chunks: `replan` actions of each, then a new chunk from the frame of that moment."""

    def __init__(self, policy: ChunkPolicy, *, replan: int) -> None:
        if replan < 1:
            raise ValueError(f"replan should be at least 1, got {replan}.")
        self._policy, self._replan = policy, replan
        self._chunk: np.ndarray | None = None
        self._played = 0
        self._seen: deque[Frame] = deque(maxlen=1 - min(policy.past, default=0))

    def reset(self, seed: int) -> None:
        """Drop the rest of the chunk; it was planned for another episode."""
        del seed
        self._chunk, self._played = None, 0
        self._seen.clear()

    def act(self, frame: Frame) -> np.ndarray:
        """Give the chunk's next action, asking the policy when it is time to plan again."""
        self._seen.append(frame)
        if self._chunk is None or self._played >= min(self._replan, len(self._chunk)):
            self._chunk, self._played = self._policy.act(self._looked_back()), 0
        action = self._chunk[self._played]
        self._played += 1
        return action

    def _looked_back(self) -> Frame:
        """Give the frame as the policy looks at it; before its first tick an episode is taken to have stood still."""
        newest, past = self._seen[-1], self._policy.past
        if not past:
            return newest
        frames = [self._seen[max(len(self._seen) - 1 + offset, 0)] for offset in past]
        return {key: np.stack([frame[key] for frame in frames]) for key in newest}


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
