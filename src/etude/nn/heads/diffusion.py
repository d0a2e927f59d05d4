"""Learning to take noise away, and making something of noise by it.

DDPM (Ho et al., 2020) and DDIM (Song et al., 2021), with the arithmetic and the step numbers of diffusers, so that
checkpoints trained there act the same here. Values are (batch, time, channel); a step is a number per sample, 0 being
almost clean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from etude.nn.heads.integrate import Guide

Denoiser = Callable[[Tensor, int], Tensor]
"""From noisy values (batch, time, channel) and their step to what the network was taught to tell."""

_COSINE_OFFSET, _LARGEST_BETA = 0.008, 0.999


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """How noise is added in `num_steps` steps, and taken away again."""

    num_steps: int = 100
    law: Literal["squaredcos_cap_v2", "linear", "scaled_linear"] = "squaredcos_cap_v2"
    beta_start: float = 1e-4
    beta_end: float = 0.02
    predicts: Literal["epsilon", "sample", "v_prediction"] = "epsilon"
    """What the network tells: the noise, the clean values, or the velocity between them (Salimans & Ho, 2022)."""
    clip: float | None = 1.0
    """Clean values lie within; none trusts the network."""
    spacing: Literal["leading", "trailing"] = "leading"
    """Whether few steps end at the cleanest one or begin at the noisiest."""
    _roots: dict[torch.device, tuple[Tensor, Tensor]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def kept(self) -> Tensor:
        """The share of the variance that is still the clean values' after each step (step,), on the processor."""
        return torch.cumprod(1 - self._betas(), 0)

    def add(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Add noise up to `step` (batch,)."""
        root, lost = self._shares(clean, step)
        return root * clean + lost * noise

    def target(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Give what the network should tell at `step` (batch,)."""
        if self.predicts == "v_prediction":
            root, lost = self._shares(clean, step)
            return root * noise - lost * clean
        return noise if self.predicts == "epsilon" else clean

    def steps(self, num_steps: int | None = None) -> list[int]:
        """List the steps at which `sample` asks the network, from the noisiest on."""
        count = num_steps or self.num_steps
        if self.spacing == "leading":
            return [number * (self.num_steps // count) for number in reversed(range(count))]
        return [round(self.num_steps - number * self.num_steps / count) - 1 for number in range(count)]

    def sample(
        self,
        denoise: Denoiser,
        noise: Tensor,
        *,
        num_steps: int | None = None,
        sampler: Literal["DDPM", "DDIM"] = "DDPM",
        fresh: Iterable[Tensor] = (),
        guide: Guide | None = None,
    ) -> Tensor:
        """Make values of `noise` in `num_steps` evenly spaced steps.

        DDPM adds noise on the way, the `fresh` one or what it draws; DDIM adds none.
        """
        values, steps, left = noise, self.steps(num_steps), iter(fresh)
        # In diffusers DDIM strides evenly, even past where uneven steps lie.
        stride = self.num_steps // len(steps)
        ends = [*steps[1:], -1] if sampler == "DDPM" else [step - stride for step in steps]
        for step, end in zip(steps, ends, strict=True):
            # Numbers from the processor, in single precision as in diffusers: nothing waits for a device.
            kept, after = self.kept[step], self.kept[end] if end >= 0 else torch.ones(())
            clean, error = self._seen(lambda noisy, at=step: denoise(noisy, at), values, kept, guide)
            if sampler == "DDIM":
                values = after.sqrt().item() * clean + (1 - after).sqrt().item() * error
            else:
                values, deviation = _ancestor(values, clean, kept, after)
                if end >= 0:
                    added = next(left, None)
                    values = values + deviation * (torch.randn_like(values) if added is None else added)
        return values

    def _betas(self) -> Tensor:
        if self.law == "linear":
            return torch.linspace(self.beta_start, self.beta_end, self.num_steps)
        if self.law == "scaled_linear":
            return torch.linspace(self.beta_start**0.5, self.beta_end**0.5, self.num_steps) ** 2
        shares = [_cosine(step / self.num_steps) for step in range(self.num_steps + 1)]
        return torch.tensor([min(1 - after / before, _LARGEST_BETA) for before, after in pairwise(shares)])

    def _shares(self, like: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Give the roots of what is kept and of what is lost at `step` (batch,), to multiply `like` by."""
        if like.device not in self._roots:
            kept = self.kept.to(like.device)
            self._roots[like.device] = kept.sqrt(), (1 - kept).sqrt()
        shape = (-1, *[1] * (like.dim() - 1))
        root, lost = (table[step].reshape(shape).to(like.dtype) for table in self._roots[like.device])
        return root, lost

    def _seen(
        self, denoise: Callable[[Tensor], Tensor], values: Tensor, kept: Tensor, guide: Guide | None
    ) -> tuple[Tensor, Tensor]:
        """Give the clean values and the noise that the network sees in `values`, or that `guide` makes of them.

        Shrunk by the sum of both roots, noisy values are those of a straight flow, which is what guides know.
        """
        if guide is None:
            return self._divided(values, denoise(values), kept)
        size, lost = (kept.sqrt() + (1 - kept).sqrt()).item(), (1 - kept).sqrt().item()

        def sees(shrunk: Tensor) -> tuple[Tensor, Tensor]:
            clean, error = self._divided(shrunk * size, denoise(shrunk * size), kept)
            return clean, torch.stack([clean, error])

        told, change = guide.pull(sees, values / size, lost / size)
        return told[0] - lost / size * change, told[1] + (1 - lost / size) * change

    def _divided(self, values: Tensor, told: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Divide noisy values into clean ones, clipped, and the noise as the network sees it."""
        root, lost = kept.sqrt().item(), (1 - kept).sqrt().item()
        if self.predicts == "epsilon":
            clean, error = (values - lost * told) / root, told
        elif self.predicts == "sample":
            clean, error = told, (values - root * told) / lost
        else:
            clean, error = root * values - lost * told, root * told + lost * values
        return (clean if self.clip is None else clean.clamp(-self.clip, self.clip)), error


def _ancestor(values: Tensor, clean: Tensor, kept: Tensor, after: Tensor) -> tuple[Tensor, float]:
    """Give the mean and deviation of values one step before: equation 7 of the DDPM paper, the smaller variance."""
    alpha, lost, lost_after = kept / after, 1 - kept, 1 - after
    share_clean, share_noisy = after.sqrt() * (1 - alpha) / lost, alpha.sqrt() * lost_after / lost
    mean = share_clean.item() * clean + share_noisy.item() * values
    return mean, (lost_after / lost * (1 - alpha)).clamp(min=1e-20).sqrt().item()


def _cosine(share: float) -> float:
    return math.cos((share + _COSINE_OFFSET) / (1 + _COSINE_OFFSET) * math.pi / 2) ** 2
