"""One policy for several robots or scenes: each asks as if it were alone, and all are answered in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import Batch, Continuing, Policy
from etude.policies.realtime import RealTime


def asking(loaded: LoadedPolicy, ask: Callable[[Any], Any]) -> LoadedPolicy:
    """Give the policy, pipeline and all, whose network is asked by `ask`: it gets a batch of one and gives a chunk."""
    return replace(loaded, policy=_Asking(loaded.policy, ask))


def answer(policy: Policy, questions: Sequence[Batch | None], size: int) -> list[Tensor | None]:
    """Ask a policy for all `questions` (batches of one) at once; those that are none get none.

    The batch always has `size` places and a question always its own, so that what is asked beside it matters to
    nothing but rounding.
    """
    first = next(question for question in questions if question is not None)
    filled = [question if question is not None else first for question in questions]
    filled += [first] * (size - len(filled))
    batch = {key: torch.cat([question[key] for question in filled]) for key in first}
    with torch.inference_mode():
        chunks = policy.act(batch)
    return [None if question is None else chunks[place : place + 1] for place, question in enumerate(questions)]


class _Asking(nn.Module):
    """A network that lets another one answer."""

    def __init__(self, policy: Policy, ask: Callable[[Any], Any]) -> None:
        super().__init__()
        self._others, self._ask = [policy], ask  # in a list, or it would count as a part of this one

    def act(self, batch: Batch) -> Tensor:
        return self._ask(dict(batch))

    def go_on(self, batch: Batch, realtime: RealTime) -> Tensor:
        return cast("Continuing", self._others[0]).go_on(batch, realtime)
