"""Going from noise to values along a field of velocities.

Time is the share of noise: 1 at the start, 0 at the end. It is told for each token, so that some tokens of a chunk may
be there already while the others are still made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From values (batch, time, channel) to how fast they change, where the share of noise is one for all tokens,
(batch, 1), or one for each, (batch, time)."""
Sees = Callable[[Tensor], tuple[Tensor, Tensor]]
"""From noisy values to the clean values that a network sees in them, and what it told."""
Method = Literal["euler", "midpoint", "heun"]


class Guide(Protocol):
    """Has a say in where values go."""

    def pull(self, sees: Sees, values: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Give what the network told of `values`, a share `time` of which is noise, and what to add to the velocity."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """Tokens that need not be made: `values` (batch, time, channel) where `mask` (batch, time) is true."""

    values: Tensor
    mask: Tensor

    def put(self, values: Tensor) -> Tensor:
        """Put the given tokens in their places."""
        return torch.where(self.mask[..., None], self.values, values)


def even_grid(num_steps: int) -> tuple[float, ...]:
    """Give the times of `num_steps` even steps from noise to values; plain numbers, so no device is waited for."""
    return tuple(1 - step / num_steps for step in range(num_steps + 1))


def integrate(
    velocity: Velocity,
    noise: Tensor,
    grid: Sequence[float],
    *,
    method: Method = "euler",
    given: Given | None = None,
    guide: Guide | None = None,
) -> Tensor:
    """Follow `velocity` from `noise` (batch, time, channel) at the first time of `grid` to its last.

    Midpoint and Heun ask twice a step and err with the square of its length, Euler asks once and errs with the length.
    Given tokens are at time 0 all the way and come out as they were given.
    """
    put = given.put if given else _unchanged

    def slope(values: Tensor, time: float) -> Tensor:
        times = values.new_full((len(values), 1), time)
        if given:
            times = times.masked_fill(given.mask, 0.0)
        if guide is None:
            return velocity(values, times)
        told, change = guide.pull(lambda x: _seen(x, velocity(x, times), time), values, time)
        return told + change

    values = put(noise)
    for time, after in pairwise(grid):
        values = put(values + (after - time) * _slope(slope, values, time, after, method, put))
    return values


def _slope(
    slope: Callable[[Tensor, float], Tensor],
    values: Tensor,
    time: float,
    after: float,
    method: Method,
    put: Callable[[Tensor], Tensor],
) -> Tensor:
    """Give the velocity that leads best from `time` to `after`."""
    first, step = slope(values, time), after - time
    if method == "midpoint":
        return slope(put(values + step / 2 * first), time + step / 2)
    if method == "heun":
        return (first + slope(put(values + step * first), after)) / 2
    return first


def _seen(values: Tensor, speed: Tensor, time: float) -> tuple[Tensor, Tensor]:
    return values - time * speed, speed


def _unchanged(values: Tensor) -> Tensor:
    return values
