"""A policy as an agent: the only place where chunks are played.

A chunk is made of what is seen at one tick and has an action for that tick and each that follows; whatever delays it,
an action is played at its own tick or not at all.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from etude.core.errors import UserError
from etude.core.frame import Frame
from etude.policies.realtime import DELAY, PREFIX
from etude.rollout.thinking import Chunk, ChunkPolicy, InTicks, Thinking


class PolicyAgent:
    """Plays a policy's chunks: `replan` actions of each, then a new chunk from the frame of that moment.

    While a chunk is on its way (`thinking`) the old one goes on, and where that is over the last action is held. With
    `ensemble_coeff` the actions that several chunks have for a tick are averaged, see `blend`. With `continues` the
    policy is told what is left of the old chunk, so that the new one may go on from it.
    """

    def __init__(
        self,
        policy: ChunkPolicy,
        *,
        replan: int,
        ensemble_coeff: float | None = None,
        thinking: Thinking | None = None,
        continues: bool = False,
    ) -> None:
        if replan < 1:
            raise ValueError(f"replan should be at least 1, got {replan}.")
        self._policy, self._replan, self._coeff, self._continues = policy, replan, ensemble_coeff, continues
        self._thinking = thinking or InTicks(policy)
        self._seen: deque[Frame] = deque(maxlen=1 - min(policy.past, default=0))
        self._chunks: list[Chunk] = []
        self.reset(0)

    @property
    def latencies_s(self) -> list[float]:
        """How long the policy took for each chunk since the last reset."""
        return self._thinking.latencies_s

    def reset(self, seed: int) -> None:
        """Drop all chunks, which were planned for another episode; `seed` decides what a policy that samples draws."""
        self._rng = np.random.default_rng(seed)
        self._thinking.forget()
        self._thinking.latencies_s = []
        self._seen.clear()
        self._chunks.clear()
        self._tick, self._is_asked, self._last = 0, False, None
        self._num_stale = 0
        self.num_held = 0
        """Ticks at which the last action was held because no chunk was there."""

    def act(self, frame: Frame) -> np.ndarray:
        """Give this tick's action, asking the policy when it is time to plan again."""
        self._seen.append(frame)
        self._receive()
        if not self._is_asked and self._is_due():
            self._ask()
            self._receive(waits=self._last is None)
        action = self._blended()
        if action is None:
            assert self._last is not None
            action, self.num_held = self._last, self.num_held + 1
        self._last, self._tick = action, self._tick + 1
        return action

    def _is_due(self) -> bool:
        """Whether to plan again: enough of the newest chunk is played, or it would be over before the next is here."""
        if not self._chunks:
            return True
        newest = self._chunks[-1]
        lasting = len(newest.actions) - self._thinking.delay
        return self._tick - newest.start >= min(self._replan, max(lasting, 1))

    def _ask(self) -> None:
        frame = self._looked_back() | self._policy.example_noise(self._rng)
        if self._continues and self._chunks and self._chunks[-1].end > self._tick:
            left = self._chunks[-1].actions[self._tick - self._chunks[-1].start :]
            frame |= {PREFIX: left, DELAY: np.array(min(self._thinking.delay, len(left)), np.int64)}
        self._thinking.ask(frame, self._tick)
        self._is_asked = True

    def _receive(self, *, waits: bool = False) -> None:
        chunk = self._thinking.answer(self._tick, waits=waits)
        if chunk is None:
            return
        self._is_asked = False
        self._check_lasts(chunk)
        older = [one for one in self._chunks if one.end > self._tick] if self._coeff is not None else []
        self._chunks = [*older, chunk]

    def _check_lasts(self, chunk: Chunk) -> None:
        """Refuse a policy that is always too late; once may happen."""
        self._num_stale = self._num_stale + 1 if chunk.end <= self._tick else 0
        if self._num_stale > 1:
            raise UserError(
                f"The policy takes {self._tick - chunk.start} ticks for a chunk of {len(chunk.actions)} actions, so "
                "each is over before it can be played. Take fewer sampling steps, a lower --fps, or no --policy.delay."
            )

    def _blended(self) -> np.ndarray | None:
        found = [action for chunk in self._chunks if (action := chunk.at(self._tick)) is not None]
        if not found or self._coeff is None:
            return found[-1] if found else None
        return blend(np.stack(found), self._coeff)

    def _looked_back(self) -> Frame:
        """Give the frame as the policy looks at it; before its first tick an episode is taken to have stood still."""
        newest, past = self._seen[-1], self._policy.past
        if not past:
            return dict(newest)
        frames = [self._seen[max(len(self._seen) - 1 + offset, 0)] for offset in past]
        return {key: np.stack([frame[key] for frame in frames]) for key in newest}


def blend(actions: np.ndarray, coeff: float) -> np.ndarray:
    """Average what chunks have for one tick (chunk, action), oldest first, with weights exp(-coeff * place).

    Temporal ensembling (Zhao et al., 2023, algorithm 2): above 0 the older plan weighs more, below 0 the newer one.
    """
    weights = np.exp(-coeff * np.arange(len(actions)))
    return (weights @ actions / weights.sum()).astype(actions.dtype)
