"""Learning to take noise away, and making something of noise by it.

DDPM (Ho et al., 2020) and DDIM (Song et al., 2021), with the arithmetic and the step numbers of diffusers, so that
checkpoints trained there act the same here. Values are (batch, time, channel); a step is a number per sample, 0 being
almost clean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]
"""From noisy values (batch, time, channel) and steps (batch,) to what the network was taught to tell."""

_COSINE_OFFSET, _LARGEST_BETA = 0.008, 0.999


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """How noise is added in `num_steps` steps, and taken away again."""

    num_steps: int = 100
    law: Literal["squaredcos_cap_v2", "linear"] = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    predicts: Literal["epsilon", "sample"] = "epsilon"
    """What the network tells: the noise, or the clean values."""
    clip: float | None = 1.0
    """Clean values lie within; none trusts the network."""

    def kept(self) -> Tensor:
        """Give the share of the variance that is still the clean values' after each step (step,)."""
        return torch.cumprod(1 - self._betas(), 0)

    def add(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Add noise up to `step` (batch,)."""
        kept = self.kept().to(clean)[step].reshape(-1, *[1] * (clean.dim() - 1))
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def target(self, clean: Tensor, noise: Tensor) -> Tensor:
        """Give what the network should tell."""
        return noise if self.predicts == "epsilon" else clean

    def sample(
        self,
        denoise: Denoiser,
        noise: Tensor,
        *,
        num_steps: int | None = None,
        sampler: Literal["DDPM", "DDIM"] = "DDPM",
    ) -> Tensor:
        """Make values of `noise` in `num_steps` evenly spaced steps. DDPM adds fresh noise on the way, DDIM none."""
        values = noise
        for step, kept, kept_after in self._way(num_steps or self.num_steps):
            told = denoise(values, torch.full((len(noise),), step, dtype=torch.long, device=noise.device))
            clean, error = self._divided(values, told, kept)
            if sampler == "DDIM":
                values = _number(kept_after.sqrt()) * clean + _number((1 - kept_after).sqrt()) * error
            else:
                values = _ancestor(values, clean, kept, kept_after, is_last=step == 0)
        return values

    def _betas(self) -> Tensor:
        if self.law == "linear":
            return torch.linspace(self.beta_start, self.beta_end, self.num_steps)
        shares = [_cosine(step / self.num_steps) for step in range(self.num_steps + 1)]
        return torch.tensor([min(1 - after / before, _LARGEST_BETA) for before, after in pairwise(shares)])

    def _way(self, num_steps: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Give each step from the noisiest on, with the shares kept at it and after it, in single precision."""
        kept, stride = self.kept(), self.num_steps // num_steps
        for number in reversed(range(num_steps)):
            step = number * stride
            yield step, kept[step], kept[step - stride] if step >= stride else torch.ones(())

    def _divided(self, values: Tensor, told: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Divide noisy values into clean ones, clipped, and the noise as the network sees it."""
        root, lost = _number(kept.sqrt()), _number((1 - kept).sqrt())
        if self.predicts == "epsilon":
            clean, error = (values - lost * told) / root, told
        else:
            clean, error = told, (values - root * told) / lost
        return (clean if self.clip is None else clean.clamp(-self.clip, self.clip)), error


def _ancestor(values: Tensor, clean: Tensor, kept: Tensor, kept_after: Tensor, *, is_last: bool) -> Tensor:
    """Draw the values one step before: equation 7 of the DDPM paper, with the smaller of the two variances."""
    alpha, lost, lost_after = kept / kept_after, 1 - kept, 1 - kept_after
    mean = _number(kept_after.sqrt() * (1 - alpha) / lost) * clean + _number(alpha.sqrt() * lost_after / lost) * values
    if is_last:
        return mean
    variance = (lost_after / lost * (1 - alpha)).clamp(min=1e-20)
    return mean + _number(variance.sqrt()) * torch.randn_like(values)


def _number(value: Tensor) -> float:
    """Give a number that is on the processor, so that nothing waits for a device."""
    return value.item()


def _cosine(share: float) -> float:
    return math.cos((share + _COSINE_OFFSET) / (1 + _COSINE_OFFSET) * math.pi / 2) ** 2
