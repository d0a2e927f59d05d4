"""A picture encoder small enough to learn on a laptop's processor."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SmallEncoder(nn.Module):
    """Picture (batch, 3, height, width) to map (batch, 32, height / 16, width / 16).

    The first convolution strides by four: on a processor large early maps cost more than anything that follows. Batch
    normalisation costs a quarter of the speed and more than halves the samples needed.
    """

    channels = 32

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 32, 8, 4, 2), nn.ReLU(inplace=True))
        self.down = nn.Sequential(_conv(32, 64, 3, 2, 1), nn.ReLU(inplace=True))
        self.around = nn.Sequential(_conv(64, 64, 3, 1, 1), nn.ReLU(inplace=True), _conv(64, 64, 3, 1, 1))
        self.squeeze = nn.Sequential(nn.Conv2d(64, self.channels, 2, 2), nn.ReLU(inplace=True))

    def map_size(self, pixels: int) -> int:
        """Places along one side of the map of a picture with `pixels` along it."""
        stem = (pixels + 2 * 2 - 8) // 4 + 1
        return ((stem - 1) // 2 + 1) // 2

    def forward(self, image: Tensor) -> Tensor:
        """Give the last map."""
        x = self.down(self.stem(image))
        return self.squeeze(torch.relu(x + self.around(x)))


def _conv(before: int, after: int, size: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, size, stride, padding, bias=False), nn.BatchNorm2d(after))
