"""What every policy promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from etude.policies.realtime import RealTime

NOISE = "noise"
"""Key of what a policy that samples makes its chunk of (batch, time, action); drawn where it is absent."""
Batch = Mapping[str, Tensor]
"""Samples stacked along the first axis, as a pipeline's inputs give them."""


@runtime_checkable
class Policy(Protocol):
    """A `torch.nn.Module` that learns chunks of actions and gives them."""

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give what to minimise, and its parts by name, for `batch` with `action` (batch, time, action)."""
        ...

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action), normalised as the batch is."""
        ...

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Divide the parameters as an optimizer wants them: `params`, and `lr` where a group has its own."""
        ...

    def begin_training(self) -> None:
        """Get ready to learn from the start, such as by reading pretrained weights."""
        ...


@runtime_checkable
class Continuing(Protocol):
    """A policy that can make a chunk go on from an old one, in the ways that its config's `rtc_modes` names."""

    def go_on(self, batch: Batch, realtime: RealTime) -> Tensor:
        """Give chunks as `act` does, for `prefix` (batch, time, action), normalised, and `delay` (batch,) in the batch.

        The prefix is what is left of the old chunk, this tick's action first; `delay` of them are certain to be played.
        """
        ...


@runtime_checkable
class LearnsInPhases(Protocol):
    """A policy whose first updates learn something other than to act."""

    def num_updates_before_acting(self) -> int:
        """Count the updates that are still to come before it learns to act."""
        ...
