"""Transformer layers with positions added to queries and keys at every layer, as in DETR (Carion et al., 2020).

Parameters are named as in `torch.nn.MultiheadAttention`, so LeRobot's ACT weights fit. The product is written out
because the fused kernel's backward pass in bf16 on a CPU is many times slower than three plain operations.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class Attention(nn.Module):
    """Multi-head attention, batch first."""

    def __init__(self, dim: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dim))
        self.out_proj = nn.Linear(dim, dim)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, is_pad: Tensor | None = None) -> Tensor:
        """Attend from `query` (batch, time, dim) to `key` and `value` (batch, length, dim).

        Where `is_pad` (batch, length) is true nothing is attended to.
        """
        projections = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        q, k, v = (self._split(F.linear(x, weight, bias)) for x, weight, bias in projections)
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if is_pad is not None:
            scores = scores.masked_fill(is_pad[:, None, None], float("-inf"))
        weights = F.dropout(scores.softmax(-1), self.dropout, self.training)
        return self.out_proj((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (batch, head, length, dim / head)


class EncoderLayer(nn.Module):
    """Self-attention and two linear layers, normalised after each (or before each with `pre_norm`)."""

    def __init__(
        self, dim: int, num_heads: int, hidden: int, *, dropout: float, activation: str, pre_norm: bool
    ) -> None:
        super().__init__()
        self.self_attn = Attention(dim, num_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout, self.pre_norm, self.activation = nn.Dropout(dropout), pre_norm, ACTIVATIONS[activation]

    def forward(self, x: Tensor, position: Tensor, is_pad: Tensor | None = None) -> Tensor:
        """Mix tokens `x` (batch, length, dim), which lie at `position` (length, dim)."""
        y = self.norm1(x) if self.pre_norm else x
        at = y + position
        x = x + self.dropout(self.self_attn(at, at, y, is_pad))
        if self.pre_norm:
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(x)
        return self.norm2(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class DecoderLayer(nn.Module):
    """Self-attention among queries, attention to a memory, and two linear layers."""

    def __init__(
        self, dim: int, num_heads: int, hidden: int, *, dropout: float, activation: str, pre_norm: bool
    ) -> None:
        super().__init__()
        self.self_attn, self.multihead_attn = Attention(dim, num_heads, dropout), Attention(dim, num_heads, dropout)
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(dim), nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.dropout, self.pre_norm, self.activation = nn.Dropout(dropout), pre_norm, ACTIVATIONS[activation]

    def forward(self, x: Tensor, memory: Tensor, position: Tensor, memory_position: Tensor) -> Tensor:
        """Let queries `x` (batch, time, dim) at `position` read `memory` (batch, length, dim) at `memory_position`."""
        keys = memory + memory_position
        if self.pre_norm:
            y = self.norm1(x)
            x = x + self.dropout(self.self_attn(y + position, y + position, y))
            x = x + self.dropout(self.multihead_attn(self.norm2(x) + position, keys, memory))
            return x + self._feed_forward(self.norm3(x))
        x = self.norm1(x + self.dropout(self.self_attn(x + position, x + position, x)))
        x = self.norm2(x + self.dropout(self.multihead_attn(x + position, keys, memory)))
        return self.norm3(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))
