"""Dropout that draws only what it drops.

On a processor a random number for every value costs as much as the matrix product before it, five sixths of which are
spent on values that are kept. The distances between values that are dropped independently of one another are geometric,
so it is enough to draw those: the same law, at a sixth of the cost.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

DEVIATIONS = 6.0
"""How many standard deviations more than expected are drawn, so that there are always enough."""


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Set each value to zero with probability `p`, and scale the others so that the mean stays."""
    if not training or p == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(x, p, True)
    return _Sparse.apply(x, p)  # pyright: ignore[reportReturnType]


class Dropout(nn.Module):
    """`dropout` while training."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of `x`."""
        return dropout(x, self.p, self.training)


def dropped(count: int, p: float) -> Tensor:
    """Choose each of `count` places with probability `p`, independently; give the chosen ones in order."""
    enough = int(count * p + DEVIATIONS * math.sqrt(count * p * (1 - p))) + 8
    # 1 - u, since u may be 0 and its logarithm endless.
    between = (1 - torch.rand(enough)).log_().mul_(1 / math.log1p(-p)).long()
    places = between.add_(1).cumsum_(0).sub_(1)
    return places[: int(torch.searchsorted(places, count))]


class _Sparse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Tensor:
        places = dropped(x.numel(), p)
        ctx.save_for_backward(places)
        ctx.scale = 1 / (1 - p)
        return _without(x, places, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (places,) = ctx.saved_tensors
        return _without(gradient, places, ctx.scale), None


def _without(x: Tensor, places: Tensor, scale: float) -> Tensor:
    scaled = torch.empty(x.shape, dtype=x.dtype)
    torch.mul(x, scale, out=scaled)
    scaled.view(-1).index_fill_(0, places, 0)
    return scaled
