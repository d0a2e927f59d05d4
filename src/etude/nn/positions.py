"""Sines that tell a network where a token is, or how far a process."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

TEMPERATURE = 10_000.0


def sine_1d(length: int, dim: int) -> Tensor:
    """Table (length, dim) of "Attention is all you need": sine at even places, cosine at odd ones."""
    place = torch.arange(dim, dtype=torch.float64)
    angle = torch.arange(length, dtype=torch.float64)[:, None] / TEMPERATURE ** (2 * (place // 2) / dim)
    return torch.where(place % 2 == 0, angle.sin(), angle.cos()).float()


def sine_2d(height: int, width: int, dim: int) -> Tensor:
    """Table (height * width, dim) for a map read row by row: the first half tells y, the second x (DETR).

    Rows and columns count from 1 and are scaled so that the last one is at 2 pi.
    """
    y, x = _axis(height, dim // 2), _axis(width, dim // 2)
    table = torch.cat([y[:, None].expand(-1, width, -1), x[None].expand(height, -1, -1)], -1)
    return table.flatten(0, 1)


class StepEmbedding(nn.Module):
    """Tells a step (...) as (..., dim): sines of falling frequencies, then their cosines."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self._half = dim // 2

    def forward(self, step: Tensor) -> Tensor:
        """Give the embedding."""
        place = torch.arange(self._half, device=step.device)
        angle = step[..., None] * torch.exp(place * (-math.log(TEMPERATURE) / (self._half - 1)))
        return torch.cat([angle.sin(), angle.cos()], -1)


def _axis(length: int, dim: int) -> Tensor:
    place = torch.arange(dim, dtype=torch.float32)
    step = torch.arange(1, length + 1, dtype=torch.float32) / (length + 1e-6) * (2 * math.pi)
    angle = step[:, None] / TEMPERATURE ** (2 * (place // 2) / dim)
    return torch.where(place % 2 == 0, angle.sin(), angle.cos())
