"""How a policy's chunks come about beside the control loop: in no time, after some ticks, or in a thread."""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from etude.core.frame import Frame

RECENT = 10
"""Chunks by whose latency the next one's is expected."""


class ChunkPolicy(Protocol):
    """A policy as an agent sees it: one frame in, one chunk out, both in the robot's units."""

    @property
    def past(self) -> tuple[int, ...]:
        """Ticks it looks at, such as (-1, 0); the frame then has an axis of time. None for this tick alone."""
        ...

    def act(self, frame: Frame) -> np.ndarray:
        """Give a chunk (time, action)."""
        ...

    def example_noise(self, rng: np.random.Generator) -> Frame:
        """Make the noise that a policy which samples takes, as a frame; an empty one for a policy that does not."""
        ...


@dataclass(frozen=True, eq=False)
class Chunk:
    """Actions (time, action), the first of which is for the tick `start`."""

    start: int
    actions: np.ndarray

    @property
    def end(self) -> int:
        """The first tick that it has no action for."""
        return self.start + len(self.actions)

    def at(self, tick: int) -> np.ndarray | None:
        """Give the action for `tick`, if it has one."""
        return self.actions[tick - self.start] if self.start <= tick < self.end else None


class Thinking(Protocol):
    """Asks a policy for one chunk at a time."""

    latencies_s: list[float]
    """How long the policy took for each chunk."""

    @property
    def delay(self) -> int:
        """Ticks after which an answer is to be expected."""
        ...

    def ask(self, frame: Frame, tick: int) -> None:
        """Have a chunk made that begins at `tick`, of what is seen at it."""
        ...

    def answer(self, tick: int, *, waits: bool = False) -> Chunk | None:
        """Give the chunk if it is there at `tick`, and only once; with `waits`, as soon as it is."""
        ...

    def forget(self) -> None:
        """Drop what was asked for."""
        ...


class InTicks:
    """Makes a chunk at once and gives it `delay` ticks later, as simulated time needs, which stands still meanwhile."""

    def __init__(self, policy: ChunkPolicy, delay: int = 0) -> None:
        self._policy, self.delay = policy, delay
        self.latencies_s: list[float] = []
        self._chunk: Chunk | None = None

    def ask(self, frame: Frame, tick: int) -> None:
        """Make the chunk."""
        actions, latency_s = _timed(self._policy, frame)
        self.latencies_s.append(latency_s)
        self._chunk = Chunk(tick, actions)

    def answer(self, tick: int, *, waits: bool = False) -> Chunk | None:
        """Give the chunk when its time has come."""
        if self._chunk is None or (tick < self._chunk.start + self.delay and not waits):
            return None
        chunk, self._chunk = self._chunk, None
        return chunk

    def forget(self) -> None:
        """Drop the chunk."""
        self._chunk = None


class InThread:
    """Makes chunks in a thread while the control loop goes on at `hz`; they come when they are ready.

    The next one is expected after the longest of the recent latencies, but `delay` ticks when that is given.
    """

    def __init__(self, policy: ChunkPolicy, hz: float, delay: int | None = None) -> None:
        self._policy, self._hz, self._told_delay = policy, hz, delay
        self.latencies_s: list[float] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="policy")
        self._asked: tuple[int, Future[tuple[np.ndarray, float]]] | None = None

    @property
    def delay(self) -> int:
        """Ticks after which an answer is to be expected; the first latency, which holds all warming up, counts last."""
        if self._told_delay is not None:
            return self._told_delay
        recent = self.latencies_s[1:][-RECENT:] or self.latencies_s
        return math.ceil(max(recent, default=0.0) * self._hz)

    def ask(self, frame: Frame, tick: int) -> None:
        """Have the thread make the chunk."""
        self._asked = tick, self._thread.submit(_timed, self._policy, frame)

    def answer(self, tick: int, *, waits: bool = False) -> Chunk | None:
        """Give the chunk if the thread has made it; raises what the policy raised."""
        del tick
        if self._asked is None or not (waits or self._asked[1].done()):
            return None
        (start, future), self._asked = self._asked, None
        actions, latency_s = future.result()
        self.latencies_s.append(latency_s)
        return Chunk(start, actions)

    def forget(self) -> None:
        """Take no notice of what the thread is making."""
        self._asked = None


def _timed(policy: ChunkPolicy, frame: Frame) -> tuple[np.ndarray, float]:
    began = time.perf_counter()
    actions = policy.act(frame)
    return actions, time.perf_counter() - began
