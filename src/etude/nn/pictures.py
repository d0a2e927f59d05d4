"""Changes to pictures, each with an amount for every sample.

Pictures are float (batch, ..., height, width, 3) with values from 0 to 255; amounts are (batch,). The arithmetic is
torchvision's (`torchvision.transforms.v2.functional`), but for what lies outside a picture that was turned or moved:
its edge goes on there, since black would be something to see.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor

TOP = 255.0
_GREY = (0.2989, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R BT.601)."""


def brighten(pictures: Tensor, factor: Tensor) -> Tensor:
    """Multiply all values; 1 changes nothing."""
    return (pictures * _along(factor, pictures)).clamp(0, TOP)


def contrast(pictures: Tensor, factor: Tensor) -> Tensor:
    """Take values away from the picture's mean brightness, or at 0 to it."""
    return _blended(pictures, _grey(pictures).mean((-3, -2, -1), keepdim=True), factor)


def saturate(pictures: Tensor, factor: Tensor) -> Tensor:
    """Take colours away from grey, or at 0 to it."""
    return _blended(pictures, _grey(pictures), factor)


def sharpen(pictures: Tensor, factor: Tensor) -> Tensor:
    """Take values away from those of a smoothed picture, or at 0 to them; the outermost pixels stay."""
    flat = pictures.flatten(0, -4).movedim(-1, 1)
    kernel = pictures.new_tensor([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13
    smooth = F.conv2d(flat, kernel.expand(3, 1, 3, 3), groups=3)
    blurred = pictures.clone()
    blurred[..., 1:-1, 1:-1, :] = smooth.movedim(1, -1).reshape(*pictures.shape[:-3], *smooth.shape[-2:], 3)
    return _blended(pictures, blurred, factor)


def turn_hue(pictures: Tensor, share: Tensor) -> Tensor:
    """Turn colours by a share of the circle of hues, -0.5 to 0.5; 0 changes nothing."""
    most, least = pictures.amax(-1), pictures.amin(-1)
    spread = most - least
    red, green, blue = ((most - one) / spread.clamp_min(1e-12) for one in pictures.unbind(-1))
    is_red, is_green = pictures[..., 0] == most, pictures[..., 1] == most
    sixth = torch.where(is_red, blue - green, torch.where(is_green, 2 + red - blue, 4 + green - red))
    turned = (torch.where(spread > 0, sixth, 0.0) / 6 + _along(share, most)) % 1.0 * 6
    # A colour is its largest value, less its spread where the hue is far from the channel's own.
    far = ((turned[..., None] + turned.new_tensor([5.0, 3.0, 1.0])) % 6).clamp(0, 6)
    return most[..., None] - spread[..., None] * torch.minimum(far, 4 - far).clamp(0, 1)


def affine(pictures: Tensor, degrees: Tensor, shift: Tensor) -> Tensor:
    """Turn pictures about their middle, clockwise, then move them by shares `shift` (batch, 2) right and down."""
    height, width = pictures.shape[-3:-1]
    angle = degrees * math.pi / 180
    cosine, sine = angle.cos(), angle.sin()
    right, down = -2 * shift[:, 0], -2 * shift[:, 1]
    # Where each place of the new picture was in the old one, with -1 and 1 at the edges.
    first = torch.stack([cosine, sine * height / width, cosine * right + sine * height / width * down], -1)
    second = torch.stack([-sine * width / height, cosine, -sine * width / height * right + cosine * down], -1)
    flat = pictures.flatten(0, -4).movedim(-1, 1)
    places = torch.stack([first, second], 1).repeat_interleave(len(flat) // len(pictures), 0)
    grid = F.affine_grid(places.to(flat), list(flat.shape), align_corners=False)
    turned = F.grid_sample(flat, grid, padding_mode="border", align_corners=False)
    return turned.movedim(1, -1).reshape(pictures.shape)


def _along(amount: Tensor, pictures: Tensor) -> Tensor:
    return amount.to(pictures).reshape(-1, *[1] * (pictures.dim() - 1))


def _grey(pictures: Tensor) -> Tensor:
    return (pictures * pictures.new_tensor(_GREY)).sum(-1, keepdim=True)


def _blended(pictures: Tensor, other: Tensor, factor: Tensor) -> Tensor:
    share = _along(factor, pictures)
    return (share * pictures + (1 - share) * other).clamp(0, TOP)
