"""Transformer layers with positions added to queries and keys at every layer, as in DETR (Carion et al., 2020).

Parameters are named as in `torch.nn.MultiheadAttention`, so LeRobot's ACT weights fit. In training the product is
written out because the fused kernel's backward pass in bf16 on a CPU is many times slower than three plain operations.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

from etude.nn.dropout import Dropout, dropout

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
        if not self.training:
            mask = None if is_pad is None else ~is_pad[:, None, None]
            return self.out_proj(F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2))
        weights = dropout(self._weights(q, k, is_pad), self.dropout, self.training)
        return self.out_proj((weights.to(v.dtype) @ v).transpose(1, 2).flatten(2))

    def among_equals(self, tokens: Tensor, value: Tensor, batch: int) -> Tensor:
        """Attend among `tokens` (time, dim), which are the same in every sample and all have one `value` (dim,).

        What a token gets is that value, as much of it as attention does not drop: no sample needs a product of its own.
        """
        to_query, to_key, to_value = zip(self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        heads = F.linear(value, *to_value).unflatten(-1, (self.num_heads, -1))
        given = torch.einsum("dhe,he->hd", self.out_proj.weight.unflatten(1, (self.num_heads, -1)), heads)
        if not (self.training and self.dropout > 0):
            return (given.sum(0) + self.out_proj.bias).expand(1, len(tokens), -1)
        q, k = (self._split(F.linear(tokens[None], *part)) for part in (to_query, to_key))
        weights = self._weights(q, k).expand(batch, -1, -1, -1)
        shares = dropout(weights, self.dropout, self.training).sum(-1)  # (batch, head, time)
        return shares.transpose(1, 2).to(given.dtype) @ given + self.out_proj.bias

    def _weights(self, q: Tensor, k: Tensor, is_pad: Tensor | None = None) -> Tensor:
        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
        if is_pad is not None:
            scores = scores.masked_fill(is_pad[:, None, None], float("-inf"))
        return scores.softmax(-1)

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
        self.dropout, self.pre_norm, self.activation = Dropout(dropout), pre_norm, ACTIVATIONS[activation]

    def forward(self, x: Tensor, position: Tensor, is_pad: Tensor | None = None, first: int | None = None) -> Tensor:
        """Mix tokens `x` (batch, length, dim), which lie at `position` (length, dim).

        With `first`, only so many tokens are given; nothing is computed for the others but what those look at.
        """
        y = self.norm1(x) if self.pre_norm else x
        at = y + position
        x = x[:, :first] + self.dropout(self.self_attn(at[:, :first], at, y, is_pad))
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
        self.dropout, self.pre_norm, self.activation = Dropout(dropout), pre_norm, ACTIVATIONS[activation]

    def forward(self, x: Tensor | None, memory: Tensor, position: Tensor, memory_position: Tensor) -> Tensor:
        """Let queries `x` (batch, time, dim) at `position` read `memory` (batch, length, dim) at `memory_position`.

        Without `x` queries are zero, as they are before the first layer; what they say to one another is then cheap.
        """
        keys = memory + memory_position
        told = self.dropout(self._among_queries(x, position, len(memory)))
        mixed = told if x is None else x + told
        if self.pre_norm:
            mixed = mixed + self.dropout(self.multihead_attn(self.norm2(mixed) + position, keys, memory))
            return mixed + self._feed_forward(self.norm3(mixed))
        mixed = self.norm1(mixed)
        mixed = self.norm2(mixed + self.dropout(self.multihead_attn(mixed + position, keys, memory)))
        return self.norm3(mixed + self._feed_forward(mixed))

    def _among_queries(self, x: Tensor | None, position: Tensor, batch: int) -> Tensor:
        if x is None:
            # Normalised, a vector of zeros is the normalisation's bias.
            value = self.norm1.bias if self.pre_norm else torch.zeros_like(self.norm1.bias)
            return self.self_attn.among_equals(position + value, value, batch)
        y = self.norm1(x) if self.pre_norm else x
        return self.self_attn(y + position, y + position, y)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.linear2(self.dropout(self.activation(self.linear1(x)))))
