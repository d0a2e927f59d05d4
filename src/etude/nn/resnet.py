"""ResNet-18 and -34 (He et al., 2015) up to the last map; tensor names as in torchvision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
WIDTHS = (64, 128, 256, 512)
MANY_PIXELS = 1 << 16
"""Pixels in a batch from which on it pays to bring weights to the layout with channels last."""


class FrozenBatchNorm(nn.Module):
    """Batch normalisation by stored numbers, which training never changes; small batches would spoil them."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name, start in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), start))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift each channel of `x` (batch, channel, height, width)."""
        scale, shift = self.law()
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None])

    def law(self) -> tuple[Tensor, Tensor]:
        """Give what each channel is multiplied by, and what is added then."""
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        return scale, self.bias - self.running_mean * scale


def group_norm(channels: int) -> nn.GroupNorm:
    """Normalise groups of 16 channels, whatever else is in the batch."""
    return nn.GroupNorm(channels // 16, channels)


Norm = Callable[[int], nn.Module]
"""Makes the normalisation of so many channels."""


class Block(nn.Module):
    """Two 3x3 convolutions and a way around them."""

    def __init__(self, before: int, channels: int, stride: int, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = norm(channels)
        self.downsample = None
        if stride != 1 or before != channels:
            self.downsample = nn.Sequential(nn.Conv2d(before, channels, 1, stride, bias=False), norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Give the block's map."""
        around = x if self.downsample is None else _normed(x, self.downsample[0], self.downsample[1])
        between = _normed(x, self.conv1, self.bn1).relu_()
        return _normed(between, self.conv2, self.bn2).add_(around).relu_()


class ResNet(nn.Module):
    """Picture (batch, 3, height, width) to map (batch, 512, height / 32, width / 32)."""

    channels = WIDTHS[-1]

    def __init__(self, name: str, norm: Norm = FrozenBatchNorm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = norm(64)
        before = 64
        for place, (width, depth) in enumerate(zip(WIDTHS, BLOCKS[name], strict=True)):
            strides = (1 if place == 0 else 2, *[1] * (depth - 1))
            blocks = [Block(before if i == 0 else width, width, stride, norm) for i, stride in enumerate(strides)]
            self.add_module(f"layer{place + 1}", nn.Sequential(*blocks))
            before = width
        self.apply(_init)

    def map_size(self, pixels: int) -> int:
        """Places along one side of the map of a picture with `pixels` along it."""
        return -(-pixels // 32)

    def forward(self, image: Tensor) -> Tensor:
        """Give the last map."""
        if not torch.is_grad_enabled() and image[:, 0].numel() >= MANY_PIXELS:
            # Half as much again per second on a processor; backward, and for small pictures, it is slower.
            image = image.contiguous(memory_format=torch.channels_last)
        x = _normed(image, self.conv1, self.bn1).relu_()
        x = nn.functional.max_pool2d(x, 3, 2, 1)
        for place in range(4):
            x = self.get_submodule(f"layer{place + 1}")(x)
        return x


def _normed(x: Tensor, conv: nn.Module, norm: nn.Module) -> Tensor:
    """Convolve and normalise. What is frozen multiplies the weights or the map, whichever has fewer numbers."""
    assert isinstance(conv, nn.Conv2d)
    if not isinstance(norm, FrozenBatchNorm):
        return norm(conv(x))
    rows, columns = (-(-side // step) for side, step in zip(x.shape[-2:], conv.stride, strict=True))
    if len(x) * rows * columns < conv.weight[0].numel():
        return norm(conv(x))
    scale, shift = norm.law()
    return functional.conv2d(x, conv.weight * scale[:, None, None, None], shift, conv.stride, conv.padding)


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
