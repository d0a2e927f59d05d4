"""Changes to training pictures that a policy should not care about."""

from __future__ import annotations

import torch
from torch import Tensor


def random_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move each picture of (batch, height, width, channel) by up to `pixels` both ways, repeating its edge."""
    if not pixels:
        return images
    height, width = images.shape[1:3]
    offsets = torch.randint(-pixels, pixels + 1, (len(images), 2), generator=generator).tolist()
    shifted = torch.empty_like(images)
    for target, image, (down, right) in zip(shifted, images, offsets, strict=True):
        rows = torch.arange(height).add_(down).clamp_(0, height - 1)
        columns = torch.arange(width).add_(right).clamp_(0, width - 1)
        torch.index_select(image.index_select(0, rows.to(image.device)), 1, columns.to(image.device), out=target)
    return shifted


def random_brightness(images: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Brighten or darken each uint8 picture of (batch, height, width, channel) by up to the share `amount`."""
    if not amount:
        return images
    factor = 1 + amount * (2 * torch.rand(len(images), 1, 1, 1, generator=generator) - 1)
    return (images * factor.to(images.device)).clamp_(0, 255).to(torch.uint8)
