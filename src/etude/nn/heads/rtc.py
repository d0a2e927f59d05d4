"""Real-time chunking: making a new chunk go on where the old one, which is still being played, will be.

Guided: Black et al., 2025, arXiv 2506.07339. The names of the schedules and what they mean are LeRobot's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from etude.nn.heads.integrate import Given, Sees

Schedule = Literal["LINEAR", "EXP", "ONES", "ZEROS"]
_LEAST_SHARE = 1e-3
"""Below this share of noise nothing is divided by it."""


def prefix_weights(delay: Tensor, end: int, total: int, schedule: Schedule) -> Tensor:
    """Say how much each token of a new chunk should be what it is in the old one: (batch, total), from 0 to 1.

    Up to `delay` (batch,) it is 1, for these actions will have been played; from `end` on it is 0. Between the two it
    falls evenly (LINEAR), faster (EXP), not at all (ONES), or is 0 (ZEROS).
    """
    start = delay.clamp(max=end)[:, None].float()
    place = torch.arange(total, device=delay.device)[None].float()
    if schedule == "ONES":
        weights = torch.ones_like(place).expand(len(delay), -1)
    elif schedule == "ZEROS":
        weights = (place < start).float()
    else:
        weights = ((end - place) / (end - start + 1)).clamp(0, 1)
        if schedule == "EXP":
            weights = weights * weights.expm1() / (math.e - 1)
    return weights * (place < end)


@dataclass(frozen=True, kw_only=True, eq=False)
class OldChunk:
    """What is left of the chunk that is being played, in the places that its actions have in the new one."""

    values: Tensor
    """(batch, time, channel); of no account where it has no weight."""
    weights: Tensor
    """(batch, time), see `prefix_weights`."""
    is_certain: Tensor
    """(batch, time): true where the old action will be played whatever the new chunk is."""

    @classmethod
    def of(
        cls, left: Tensor, delay: Tensor, *, total: int, schedule: Schedule, end: int | None = None, before: int = 0
    ) -> OldChunk:
        """Lay actions that are `left` (batch, time, channel) over a chunk of `total` that begins `before` ticks ago.

        `end` is how many of them at most have a say; none for all.
        """
        left = left[:, : total - before]
        pad = (0, 0, before, total - before - left.shape[1])
        weights = prefix_weights(delay, min(end or left.shape[1], left.shape[1]), total - before, schedule)
        place = torch.arange(-before, total - before, device=left.device)[None]
        return cls(
            values=torch.nn.functional.pad(left, pad),
            weights=torch.nn.functional.pad(weights, (before, 0)),
            is_certain=(place >= 0) & (place < delay.clamp(max=left.shape[1])[:, None]),
        )

    @property
    def given(self) -> Given:
        """The certain tokens, for a network that learned to go on from them."""
        return Given(values=self.values, mask=self.is_certain)

    def gap(self, seen: Tensor) -> Tensor:
        """Give how far clean values are from the old ones, by the weights."""
        return (self.values - seen) * self.weights[..., None].to(seen.dtype)


@dataclass(frozen=True, kw_only=True, eq=False)
class Guidance:
    """Pulls a chunk that is being made of noise towards the old one (pseudo-inverse guidance, equations 2 to 4)."""

    old: OldChunk
    max_weight: float = 10.0
    """Strongest pull; with much noise left the law asks for an endless one."""
    jacobian: Literal["identity", "full"] = "identity"
    """Whether the pull goes back through the network, or, as in LeRobot, takes clean values to move as noisy ones."""

    def pull(self, sees: Sees, values: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Give what the network told of `values`, a share `time` of which is noise, and what to add to the velocity."""
        if self.jacobian == "identity":
            seen, told = sees(values)
            towards = self.old.gap(seen)
        else:
            with torch.enable_grad():
                values = values.detach().requires_grad_()
                seen, told = sees(values)
                towards = torch.autograd.grad(seen, values, self.old.gap(seen.detach()))[0]
        return told.detach(), -self.weight(time) * towards

    def weight(self, time: float) -> float:
        """Give how strong the pull is when a share `time` is noise: (1 - tau) / (tau r^2) of the paper, tau = 1 - t."""
        left = 1 - time
        if left <= 0 or time <= 0:
            return self.max_weight
        return min(self.max_weight, (left**2 + time**2) / (left * time))


@dataclass(frozen=True, kw_only=True, eq=False)
class Inpainting:
    """Puts the old chunk in the place of what the network sees in the noise, by the weights."""

    old: OldChunk

    def pull(self, sees: Sees, values: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Give what the network told of `values`, a share `time` of which is noise, and what to add to the velocity."""
        seen, told = sees(values)
        return told, -self.old.gap(seen) / max(time, _LEAST_SHARE)
