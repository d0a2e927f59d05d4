"""Chunks of actions as codes: a few small numbers for a chunk, which a network can choose among as among words.

Residual vector quantisation (Zeghidour et al., 2021, algorithm 1) with codebooks that follow the mean of what they
stand for (van den Oord et al., 2017, appendix A.1), as VQ-BeT (Lee et al., 2024) uses it.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

_DECAY, _SMALL = 0.8, 1e-5
COMMITMENT_WEIGHT = 5.0
NUM_LAYERS = 2
"""Codes that a chunk is told by: a coarse one and a fine one."""


class Codebook(nn.Module):
    """Vectors (1, code, dim), of which the nearest stands for any other."""

    initted: Tensor
    cluster_size: Tensor
    embed_avg: Tensor
    embed: Tensor

    def __init__(self, size: int, dim: int, least_rows: float = 0.0) -> None:
        super().__init__()
        self._least_rows = least_rows
        start = nn.init.kaiming_uniform_(torch.empty(1, size, dim))
        self.register_buffer("initted", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(1, size))
        self.register_buffer("embed_avg", start.clone())
        self.register_buffer("embed", start)

    def nearest(self, x: Tensor) -> Tensor:
        """Give the code (row,) of each row of `x` (row, dim)."""
        vectors = self.embed[0]
        return (vectors.square().sum(-1) - 2 * x @ vectors.T).argmin(-1)

    @torch.no_grad()
    def follow(self, x: Tensor, code: Tensor) -> None:
        """Move each vector towards the mean of the rows of `x` (row, dim) that it stands for.

        A vector that stands for fewer rows than `least_rows`, on a moving mean, becomes one of the rows; without that
        it moves away, out of reach.
        """
        chosen = F.one_hot(code, self.embed.shape[1]).to(x.dtype)
        self.cluster_size.lerp_(_over_processes(chosen.sum(0))[None], 1 - _DECAY)
        self.embed_avg.lerp_(_over_processes(chosen.T @ x)[None], 1 - _DECAY)
        total = self.cluster_size.sum(-1, keepdim=True)
        share = (self.cluster_size + _SMALL) / (total + self.cluster_size.shape[-1] * _SMALL)
        self.embed.copy_(self.embed_avg / (share * total)[..., None])
        if self._least_rows:
            self._revive(x)

    def _revive(self, x: Tensor) -> None:
        rows = _of_first_process(x[torch.randint(0, len(x), self.cluster_size.shape, device=x.device)])
        is_dead = self.cluster_size < self._least_rows
        self.cluster_size.masked_fill_(is_dead, self._least_rows)
        self.embed_avg.copy_(torch.where(is_dead[..., None], rows * self._least_rows, self.embed_avg))
        self.embed.copy_(torch.where(is_dead[..., None], rows, self.embed))


class ResidualCodes(nn.Module):
    """Codebooks one after another, each for what is left by those before it."""

    freeze_codebook: Tensor

    def __init__(self, num_layers: int, size: int, dim: int, least_rows: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Codebook(size, dim, least_rows) for _ in range(num_layers))
        self.register_buffer("freeze_codebook", torch.tensor(data=False))

    def forward(self, x: Tensor, *, follows: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Give for rows `x` (row, dim) what stands for them, their codes (row, layer), and how far they are from them.

        Gradients pass straight through to `x`. With `follows` the codebooks learn from the rows.
        """
        total, left, codes, distance = torch.zeros_like(x), x, [], x.new_zeros(())
        for book in self.layers:
            assert isinstance(book, Codebook)
            code = book.nearest(left.detach())
            vector = book.embed[0][code]
            distance = distance + F.mse_loss(left, vector)
            if follows:
                book.follow(left.detach(), code)
            total = total + left + (vector - left).detach()
            left = left - vector
            codes.append(code)
        return total, torch.stack(codes, -1), distance

    def vectors(self, codes: Tensor) -> Tensor:
        """Give the sum (row, dim) of what codes (row, layer) stand for."""
        books = torch.cat([book.get_buffer("embed") for book in self.layers])
        return books[torch.arange(len(books), device=codes.device), codes].sum(-2)


class ChunkCodes(nn.Module):
    """An encoder of chunks (row, time, action), codes for what it gives, and a decoder of those.

    It computes in float32 always: rounded codes would be other codes.
    """

    discretized: Tensor
    optimized_steps: Tensor

    def __init__(
        self, chunk: tuple[int, int], *, num_codes: int, dim: int, hidden: int, least_rows: float = 0.0
    ) -> None:
        super().__init__()
        self._chunk, numbers = chunk, chunk[0] * chunk[1]
        self.register_buffer("discretized", torch.tensor(data=False))
        self.register_buffer("optimized_steps", torch.tensor(0))
        self.vq_layer = ResidualCodes(NUM_LAYERS, num_codes, dim, least_rows)
        self.encoder, self.decoder = _mlp(numbers, hidden, dim), _mlp(dim, hidden, numbers)

    def loss(self, chunks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the loss of chunks (row, time, action), its mean absolute error, and the chunks' codes (row, layer).

        In training the codebooks learn, too.
        """
        with torch.autocast(chunks.device.type, enabled=False):
            flat = chunks.flatten(1).float()
            total, codes, distance = self.vq_layer(self.encoder(flat), follows=self.training)
            error = (flat - self.decoder(total)).abs().mean()
        return error + COMMITMENT_WEIGHT * distance, error, codes

    @torch.no_grad()
    def count(self, num_steps: int) -> None:
        """Count an update; after `num_steps` of them the codes are fixed."""
        self.optimized_steps += 1
        is_over = self.optimized_steps >= num_steps
        self.discretized.copy_(is_over)
        self.vq_layer.freeze_codebook.copy_(is_over)

    @torch.no_grad()
    def encode(self, chunks: Tensor) -> Tensor:
        """Give the codes (row, layer) of chunks (row, time, action)."""
        with torch.autocast(chunks.device.type, enabled=False):
            return self.vq_layer(self.encoder(chunks.flatten(1).float()))[1]

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """Give the chunks (row, time, action) of codes (row, layer)."""
        with torch.autocast(codes.device.type, enabled=False):
            return self.decoder(self.vq_layer.vectors(codes)).unflatten(-1, self._chunk)


def drawn(probabilities: Tensor, quantile: Tensor | None = None) -> Tensor:
    """Draw a code (...,) from each row of `probabilities` (..., code), or take the one at `quantile` (...,) of 0..1.

    Without quantiles it is what `torch.multinomial` draws from the same seed, but a graphics card need not be waited
    for.
    """
    if quantile is None:
        return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(-1)
    passed = probabilities.cumsum(-1) <= quantile[..., None]
    return passed.sum(-1).clamp_max(probabilities.shape[-1] - 1)


def num_used(codes: Tensor, size: int) -> Tensor:
    """Count the codes of `size` that occur in each layer of `codes` (row, layer), summed over layers."""
    return F.one_hot(codes, size).amax(0).sum().float()


def _mlp(before: int, hidden: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(before, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, after)
    )


def _over_processes(total: Tensor) -> Tensor:
    """Add up over the processes of a training run, so that all have the same codebooks."""
    if _is_shared():
        dist.all_reduce(total)
    return total


def _of_first_process(rows: Tensor) -> Tensor:
    if _is_shared():
        dist.broadcast(rows, 0)
    return rows


def _is_shared() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
