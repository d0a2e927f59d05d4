"""Changes to training pictures that a policy should not care about.

Pictures are (batch, ..., height, width, channel), with an axis of time where a policy looks back; all pictures of a
sample change alike, since a jump between two instants would look like motion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from etude.nn import pictures

Change = Callable[[Tensor, Tensor], Tensor]
"""From float pictures and shares of -1 to 1 (batch, 3), how much each sample changes and which way, to pictures."""


def random_shift(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Move the pictures of each sample by up to `pixels` both ways, repeating their edge."""
    if not pixels:
        return images
    height, width = images.shape[-3:-1]
    down, right = drawn_shift(len(images), pixels, generator)[..., None].unbind(1)
    # Brought to the device at once: a copy for each sample would wait for it each time.
    rows = (torch.arange(height) + down).clamp_(0, height - 1).to(images.device)
    columns = (torch.arange(width) + right).clamp_(0, width - 1).to(images.device)
    shifted = torch.empty_like(images)
    for target, sample, row, column in zip(shifted, images, rows, columns, strict=True):
        torch.index_select(sample.index_select(-3, row), -2, column, out=target)
    return shifted


def drawn_shift(count: int, pixels: int, generator: torch.Generator) -> Tensor:
    """Draw how far `random_shift` goes down and to the right in the pictures of each sample: int64 (count, 2)."""
    return torch.randint(-pixels, pixels + 1, (count, 2), generator=generator)


@dataclass(frozen=True, kw_only=True)
class Jitter:
    """Changes the pictures of each sample at random, colours first and places last; an amount of 0 changes nothing.

    With `most_at_once` a sample gets that many of the changes asked for, chosen anew.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    sharpness: float = 0.0
    rotation_deg: float = 0.0
    translation: float = 0.0
    most_at_once: int = 0

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Give uint8 (batch, ..., height, width, channel) changed, by random numbers of the processor's `generator`."""
        changes = self._changes()
        if not changes:
            return images
        drawn = 2 * torch.rand(len(changes), len(images), 3, generator=generator) - 1
        if 0 < self.most_at_once < len(changes):
            rank = torch.rand(len(changes), len(images), generator=generator).argsort(0).argsort(0)
            drawn = drawn * (rank < self.most_at_once)[..., None]
        changed = images.float()
        for change, shares in zip(changes, drawn.to(images.device), strict=True):
            changed = change(changed, shares)
        return changed.round_().clamp_(0, pictures.TOP).to(torch.uint8)

    def _changes(self) -> list[Change]:
        blends = (
            (pictures.brighten, self.brightness),
            (pictures.contrast, self.contrast),
            (pictures.saturate, self.saturation),
        )
        found = [_blend(change, amount) for change, amount in blends if amount]
        if self.hue:
            found.append(lambda images, shares: pictures.turn_hue(images, self.hue * shares[:, 0]))
        if self.sharpness:
            found.append(_blend(pictures.sharpen, self.sharpness))
        if self.rotation_deg or self.translation:
            found.append(self._moved)
        return found

    def _moved(self, images: Tensor, shares: Tensor) -> Tensor:
        return pictures.affine(images, self.rotation_deg * shares[:, 0], self.translation * shares[:, 1:])


def _blend(change: Change, amount: float) -> Change:
    return lambda images, shares: change(images, 1 + amount * shares[:, 0])
