"""Changes to training pictures that a policy should not care about.

Pictures are (batch, ..., height, width, channel), with an axis of time where a policy looks back; all pictures of a
sample change alike, since a jump between two instants would look like motion.
"""

from __future__ import annotations

import torch
from torch import Tensor


def random_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move the pictures of each sample by up to `pixels` both ways, repeating their edge."""
    if not pixels:
        return images
    height, width = images.shape[-3:-1]
    offsets = torch.randint(-pixels, pixels + 1, (len(images), 2), generator=generator).tolist()
    shifted = torch.empty_like(images)
    for target, sample, (down, right) in zip(shifted, images, offsets, strict=True):
        rows = torch.arange(height).add_(down).clamp_(0, height - 1)
        columns = torch.arange(width).add_(right).clamp_(0, width - 1)
        torch.index_select(sample.index_select(-3, rows.to(images.device)), -2, columns.to(images.device), out=target)
    return shifted


def random_brightness(images: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Brighten or darken the uint8 pictures of each sample by up to the share `amount`."""
    if not amount:
        return images
    drawn = torch.rand(len(images), *[1] * (images.dim() - 1), generator=generator)
    factor = 1 + amount * (2 * drawn - 1)
    return (images * factor.to(images.device)).clamp_(0, 255).to(torch.uint8)
