"""From camera maps to transformer tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

from etude.nn.positions import sine_2d


class MapTokens(nn.Module):
    """One token for each place of each camera's map, as published; cameras share weights and positions."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        # The tensors of a 1x1 convolution, which is what LeRobot's name means.
        self.weight, self.bias = nn.Conv2d(channels, dim, 1).parameters()

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Give tokens (batch, length, dim) and their positions (length, dim)."""
        rows = torch.cat([one.flatten(2).transpose(1, 2) for one in maps], 1)
        positions = [sine_2d(one.shape[-2], one.shape[-1], len(self.bias)).to(one.device) for one in maps]
        return F.linear(rows, self.weight.flatten(1), self.bias), torch.cat(positions)


class FlatTokens(nn.Module):
    """One token for the whole map of each camera: its places keep their order in one linear layer."""

    def __init__(self, map_sizes: list[int], dim: int) -> None:
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(size, dim) for size in map_sizes)
        self.position = nn.Embedding(len(map_sizes), dim)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Give tokens (batch, camera, dim) and their positions (camera, dim)."""
        tokens = [linear(one.flatten(1)) for linear, one in zip(self.linear, maps, strict=True)]
        return torch.stack(tokens, 1), self.position.weight
