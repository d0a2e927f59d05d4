"""Losses that several policies share."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor


def masked_l1(predicted: Tensor, wanted: Tensor, is_pad: Tensor | None = None) -> Tensor:
    """Mean absolute error of chunks (batch, time, action), over the times where `is_pad` (batch, time) is false."""
    return masked_mean((predicted - wanted).abs(), is_pad)


def masked_mse(predicted: Tensor, wanted: Tensor, is_pad: Tensor | None = None) -> Tensor:
    """Mean squared error of chunks (batch, time, action), over the times where `is_pad` (batch, time) is false."""
    return masked_mean((predicted - wanted).square(), is_pad)


def masked_huber(predicted: Tensor, wanted: Tensor, is_pad: Tensor | None = None) -> Tensor:
    """Mean of half the squared error below 1, and of the error less a half above (Huber, 1964), as of the others."""
    return masked_mean(F.huber_loss(predicted, wanted, reduction="none"), is_pad)


REGRESSIONS = {"l1": masked_l1, "l2": masked_mse, "huber": masked_huber}
"""Losses of actions that are predicted as numbers, by the name that a config has for each."""


def masked_mean(error: Tensor, is_pad: Tensor | None = None) -> Tensor:
    """Mean of errors (batch, time, action), over the times where `is_pad` (batch, time) is false."""
    if is_pad is None:
        return error.mean()
    valid = (~is_pad)[..., None].to(error.dtype)
    return (error * valid).sum() / (valid.sum() * error.shape[-1]).clamp_min(1)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Divergence of a diagonal Gaussian (batch, dim) from N(0, 1): summed over `dim`, averaged over the batch."""
    return (-0.5 * (1 + log_variance - mean**2 - log_variance.exp())).sum(-1).mean()


def focal(logits: Tensor, wanted: Tensor, gamma: float = 2.0) -> Tensor:
    """Mean of (1 - p)^gamma * -log p, p being what `logits` (..., class) give to the `wanted` class (...,).

    Classes that are told well count for little (Lin et al., 2017, equation 4).
    """
    log_p = logits.float().log_softmax(-1).gather(-1, wanted[..., None]).squeeze(-1)
    return ((1 - log_p.exp()) ** gamma * -log_p).mean()
