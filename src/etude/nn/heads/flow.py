"""Rectified flow (Liu et al., 2022; Lipman et al., 2022): learning the straight way from noise to values.

Time is the share of noise, as in openpi and LeRobot: values at time t are t * noise + (1 - t) * clean, and the network
is taught how fast they change, noise - clean. GR00T and the paper of pi0 count the other way round, 1 - t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from etude.nn.losses import masked_mse

_LEAST_SHARE = 1e-3
"""Below this share of noise nothing is divided by it."""


@dataclass(frozen=True, kw_only=True)
class TimeLaw:
    """How much noise training adds, as a share from 0 to 1."""

    kind: Literal["uniform", "beta", "logit_normal"] = "beta"
    alpha: float = 1.5
    beta: float = 1.0
    """Of Beta(alpha, beta); those of pi0 favour much noise."""
    scale: float = 0.999
    """The Beta's draw is multiplied by this, then shifted so that 1 stays 1: pi0's 0.999 * Beta(1.5, 1) + 0.001."""
    mean: float = 0.0
    std: float = 1.0
    """Of the normal whose sigmoid a logit-normal is (Esser et al., 2024)."""
    is_stratified: bool = False
    """Spread a batch's draws evenly over the law; the gradient varies less, at no cost."""

    def draw(self, num: int, *, device: torch.device | str | None = None) -> Tensor:
        """Draw `num` times (batch,)."""
        if self.is_stratified:
            return self.quantile((torch.rand(1, device=device) + torch.arange(num, device=device) / num) % 1.0)
        if self.kind == "beta" and not self._is_closed:
            law = torch.distributions.Beta(*torch.tensor([self.alpha, self.beta], device=device), validate_args=False)
            return self._shifted(law.sample((num,)))
        return self.quantile(torch.rand(num, device=device))

    def quantile(self, share: Tensor) -> Tensor:
        """Give the time below which this `share` of all draws lies."""
        if self.kind == "uniform":
            return share
        if self.kind == "logit_normal":
            return torch.sigmoid(self.mean + self.std * torch.special.ndtri(share.clamp(1e-6, 1 - 1e-6)))
        if not self._is_closed:
            raise ValueError(f"Beta({self.alpha}, {self.beta}) is stratified only where alpha or beta is 1.")
        drawn = share ** (1 / self.alpha) if self.beta == 1 else 1 - (1 - share) ** (1 / self.beta)
        return self._shifted(drawn)

    @property
    def _is_closed(self) -> bool:
        """Whether the Beta's quantiles can be written down."""
        return 1 in {self.alpha, self.beta}

    def _shifted(self, drawn: Tensor) -> Tensor:
        return drawn * self.scale + (1 - self.scale)


def mixed(clean: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """Give values at `time`, (batch,) or for each token (batch, time)."""
    share = spread(time, clean)
    return share * noise + (1 - share) * clean


def velocity(clean: Tensor, noise: Tensor) -> Tensor:
    """Give how fast values change with the share of noise."""
    return noise - clean


def clean_of(values: Tensor, speed: Tensor, time: Tensor) -> Tensor:
    """Give the clean values that `values` at `time` with velocity `speed` come from."""
    return values - spread(time, values) * speed


def noise_of(values: Tensor, speed: Tensor, time: Tensor) -> Tensor:
    """Give the noise that `values` at `time` with velocity `speed` were made of."""
    return values + (1 - spread(time, values)) * speed


def velocity_of(values: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """Give the velocity of a network that tells clean values; next to no noise its error is not divided by nothing."""
    return (values - clean) / spread(time, values).clamp_min(_LEAST_SHARE)


def flow_loss(told: Tensor, clean: Tensor, noise: Tensor, is_left_out: Tensor | None = None) -> Tensor:
    """Mean squared error of the velocities `told` (batch, time, channel), but where `is_left_out` (batch, time)."""
    return masked_mse(told.float(), velocity(clean, noise), is_left_out)


def spread(time: Tensor, values: Tensor) -> Tensor:
    """Give `time`, (batch,) or (batch, time), the axes of `values` (batch, time, channel)."""
    return time.reshape(*time.shape, *[1] * (values.dim() - time.dim())).to(values.dtype)
