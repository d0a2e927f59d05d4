"""A U-Net along time that takes noise out of chunks of actions (Chi et al., 2023), conditioned by scale and shift.

Tensor names are those of LeRobot's `diffusion.unet`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

from etude.nn.positions import StepEmbedding
from etude.nn.time_conv import TimeConv, TimeDoubling

_LAST_GROUPS = 8
"""The published network normalises its last convolution so, whatever the others have."""


class ConvBlock(nn.Module):
    """A convolution along time, normalised in groups of channels."""

    def __init__(self, before: int, after: int, kernel_size: int, num_groups: int) -> None:
        super().__init__()
        convolution = TimeConv(before, after, kernel_size, padding=kernel_size // 2)
        self.block = nn.Sequential(convolution, nn.GroupNorm(num_groups, after), nn.Mish())

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, before, time) to (batch, after, time)."""
        return self.block(x)


class ConditionedBlock(nn.Module):
    """Two convolutions and a way around them; between the two the condition shifts, and may scale, every channel."""

    def __init__(
        self, before: int, after: int, condition: int, *, kernel_size: int, num_groups: int, scales: bool
    ) -> None:
        super().__init__()
        self.conv1 = ConvBlock(before, after, kernel_size, num_groups)
        self.cond_encoder = nn.Sequential(nn.Mish(), nn.Linear(condition, after * (2 if scales else 1)))
        self.conv2 = ConvBlock(after, after, kernel_size, num_groups)
        self.residual_conv = TimeConv(before, after, 1) if before != after else nn.Identity()
        self._scales = scales

    def forward(self, x: Tensor, film: Tensor) -> Tensor:
        """Map (batch, before, time) to (batch, after, time) as `film` (batch, after or twice that) says."""
        hidden, film = self.conv1(x), film[..., None]
        if self._scales:
            scale, shift = film.chunk(2, 1)
            hidden = torch.addcmul(shift, scale, hidden)
        else:
            hidden = hidden + film
        return self.conv2(hidden) + self.residual_conv(x)

    def films(self, step: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Give the shares that steps (step, dim) and what was seen (batch, condition) have in the film."""
        activation, linear = self.cond_encoder.children()
        weight, bias = linear.weight, linear.bias  # those of an adapted layer include what its adapter adds
        assert isinstance(weight, Tensor)
        assert isinstance(bias, Tensor)
        of_step, of_seen = weight.split([step.shape[1], condition.shape[1]], 1)
        return F.linear(activation(step), of_step, bias), F.linear(activation(condition), of_seen)


class Unet1d(nn.Module):
    """Chunks (batch, time, channel) in, chunks out; time must halve `len(widths) - 1` times."""

    def __init__(
        self,
        channels: int,
        condition: int,
        *,
        widths: Sequence[int],
        kernel_size: int = 5,
        num_groups: int = 8,
        step_dim: int = 128,
        scales: bool = True,
    ) -> None:
        super().__init__()
        self.diffusion_step_encoder = nn.Sequential(
            StepEmbedding(step_dim), nn.Linear(step_dim, 4 * step_dim), nn.Mish(), nn.Linear(4 * step_dim, step_dim)
        )

        def block(before: int, after: int) -> ConditionedBlock:
            sizes = {"kernel_size": kernel_size, "num_groups": num_groups, "scales": scales}
            return ConditionedBlock(before, after, step_dim + condition, **sizes)

        pairs = list(zip((channels, *widths[:-1]), widths, strict=True))
        down = [nn.ModuleList([block(before, after), block(after, after), _halving(after)]) for before, after in pairs]
        down[-1][2] = nn.Identity()
        self.down_modules = nn.ModuleList(down)
        self.mid_modules = nn.ModuleList(block(widths[-1], widths[-1]) for _ in range(2))
        self.up_modules = nn.ModuleList(
            nn.ModuleList([block(2 * before, after), block(after, after), _doubling(after)])
            for after, before in reversed(pairs[1:])
        )
        last = ConvBlock(widths[0], widths[0], kernel_size, _LAST_GROUPS)
        self.final_conv = nn.Sequential(last, TimeConv(widths[0], channels, 1))

    def forward(self, x: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """Tell the noise, or the clean values, of `x` (batch, time, channel) at `step` (batch,)."""
        condition = torch.cat([self.diffusion_step_encoder(step), condition], -1)
        return self.denoise(x, [block.cond_encoder(condition) for block in self._blocks()])

    def prepare(self, steps: Tensor, condition: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Work out what `steps` (step,) and `condition` (batch, condition) do to each block, once for all of sampling.

        The row of a step in the first of a block's pair, added to the second, is the block's film in `denoise`.
        """
        told = self.diffusion_step_encoder(steps)
        return [block.films(told, condition) for block in self._blocks()]

    def denoise(self, x: Tensor, films: Sequence[Tensor]) -> Tensor:
        """Tell the noise, or the clean values, of `x` (batch, time, channel), with prepared films of all blocks."""
        x, film = x.transpose(1, 2), iter(films)
        kept: list[Tensor] = []
        for stage in self.down_modules:
            first, second, shorten = stage.children()
            x = second(first(x, next(film)), next(film))
            kept.append(x)
            x = shorten(x)
        for middle in self.mid_modules:
            x = middle(x, next(film))
        for stage in self.up_modules:
            first, second, lengthen = stage.children()
            x = second(first(torch.cat([x, kept.pop()], 1), next(film)), next(film))
            x = lengthen(x)
        return self.final_conv(x).transpose(1, 2)

    def _blocks(self) -> list[ConditionedBlock]:
        """List the blocks in the order in which they work."""
        return [module for module in self.modules() if isinstance(module, ConditionedBlock)]


def _halving(channels: int) -> nn.Module:
    return TimeConv(channels, channels, 3, stride=2, padding=1)


def _doubling(channels: int) -> nn.Module:
    return TimeDoubling(channels)
