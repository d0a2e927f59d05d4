"""A transformer that takes noise out of chunks of actions (Chi et al., 2023), which it reads beside what was seen.

Parameters are named and started as in `diffusion_policy.model.diffusion.transformer_for_diffusion`, so its weights fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

from etude.nn.attention import Attention
from etude.nn.dropout import Dropout, dropout
from etude.nn.positions import StepEmbedding

NOT_LEARNED = ("_dummy_variable", "mask", "memory_mask")
"""What the reference stores besides parameters."""
INIT_STD, WIDENING = 0.02, 4


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large the transformer is; the defaults are the published ones."""

    dim: int = 256
    num_layers: int = 8
    num_heads: int = 4
    dropout: float = 0.3
    embedding_dropout: float = 0.0
    is_causal: bool = True
    """Whether an action reads only actions and observations up to its own time."""
    tokens_per_time: int = 1
    """Tokens that tell of one observed time."""


Memory = tuple[tuple[Tensor, Tensor], ...]
"""What was seen, ready to be attended to: per layer keys and values (batch, head, length, dim / head)."""


class _Attention(Attention):
    """Attention to keys and values that may be kept from one call to the next."""

    def keys_and_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Project `x` (batch, length, dim)."""
        _, wk, wv = self.in_proj_weight.chunk(3)
        _, bk, bv = self.in_proj_bias.chunk(3)
        return self._split(F.linear(x, wk, bk)), self._split(F.linear(x, wv, bv))

    def attend(self, x: Tensor, keys: Tensor, values: Tensor, is_hidden: Tensor | None) -> Tensor:
        """Attend from `x` (batch, time, dim) to what is not hidden (time, length)."""
        query = self._split(F.linear(x, self.in_proj_weight.chunk(3)[0], self.in_proj_bias.chunk(3)[0]))
        scores = query @ keys.transpose(-2, -1) / query.shape[-1] ** 0.5
        if is_hidden is not None:
            scores = scores.masked_fill(is_hidden, float("-inf"))
        weights = dropout(scores.softmax(-1), self.dropout, self.training)
        return self.out_proj((weights.to(values.dtype) @ values).transpose(1, 2).flatten(2))


class _Layer(nn.Module):
    """Self-attention, attention to the memory and two linear layers, each normalised before and added."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        dim, heads, self.dropout = sizes.dim, sizes.num_heads, Dropout(sizes.dropout)
        self.self_attn, self.multihead_attn = (_Attention(dim, heads, sizes.dropout) for _ in range(2))
        self.linear1, self.linear2 = nn.Linear(dim, WIDENING * dim), nn.Linear(WIDENING * dim, dim)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(dim) for _ in range(3))

    def forward(self, x: Tensor, hidden: Tensor | None, seen: tuple[Tensor, Tensor], unseen: Tensor | None) -> Tensor:
        y = self.norm1(x)
        x = x + self.dropout(self.self_attn.attend(y, *self.self_attn.keys_and_values(y), hidden))
        x = x + self.dropout(self.multihead_attn.attend(self.norm2(x), *seen, unseen))
        return x + self.dropout(self.linear2(self.dropout(F.gelu(self.linear1(self.norm3(x))))))


class DiffusionTransformer(nn.Module):
    """Chunks (batch, horizon, channel) and tokens of what was seen (batch, num_tokens, condition) in, chunks out.

    The time of the noise is one for all of a chunk, (batch,), or one for each action, (batch, horizon): an action then
    reads its own time in place of the common one, and equal times give what the common one gives.
    """

    def __init__(self, channels: int, condition: int, *, horizon: int, num_tokens: int, sizes: Sizes) -> None:
        super().__init__()
        dim, self.sizes = sizes.dim, sizes
        self.input_emb = nn.Linear(channels, dim)
        self.pos_emb = nn.Parameter(torch.empty(1, horizon, dim))
        self.drop = Dropout(sizes.embedding_dropout)
        self.time_emb = StepEmbedding(dim)
        self.cond_obs_emb = nn.Linear(condition, dim)
        self.cond_pos_emb = nn.Parameter(torch.empty(1, 1 + num_tokens, dim))
        self.encoder = nn.Sequential(nn.Linear(dim, WIDENING * dim), nn.Mish(), nn.Linear(WIDENING * dim, dim))
        self.decoder = nn.ModuleDict({"layers": nn.ModuleList(_Layer(sizes) for _ in range(sizes.num_layers))})
        self.ln_f, self.head = nn.LayerNorm(dim), nn.Linear(dim, channels)
        at = torch.arange(horizon)[:, None]
        observed_at = torch.arange(num_tokens) // sizes.tokens_per_time
        self.register_buffer("_later", (at < at.T) & sizes.is_causal, persistent=False)
        self.register_buffer("_unseen", (at < observed_at) & sizes.is_causal, persistent=False)
        self._start()

    def forward(self, x: Tensor, time: Tensor, tokens: Tensor) -> Tensor:
        """Tell what the network was taught to of noisy `x`."""
        return self.denoise(x, time, self.remember(tokens))

    def remember(self, tokens: Tensor) -> Memory:
        """Prepare what was seen, once for all steps of sampling."""
        seen = self.encoder(self.drop(self.cond_obs_emb(tokens) + self.cond_pos_emb[:, 1 : 1 + tokens.shape[1]]))
        return tuple(layer.multihead_attn.keys_and_values(seen) for layer in self._layers())

    def denoise(self, x: Tensor, time: Tensor, memory: Memory) -> Tensor:
        """Tell what the network was taught to of noisy `x`, with prepared memory."""
        length = x.shape[1]
        times = self._times(time).to(x.dtype)
        later = self.get_buffer("_later")[:length, :length]
        unseen = torch.cat([self._others_times(times, length), self.get_buffer("_unseen")[:length]], 1)
        x = self.drop(self.input_emb(x) + self.pos_emb[:, :length])
        for layer, kept in zip(self._layers(), memory, strict=True):
            own = layer.multihead_attn.keys_and_values(times)
            seen = [
                torch.cat([mine.expand(len(x), -1, -1, -1), theirs], 2) for mine, theirs in zip(own, kept, strict=True)
            ]
            x = layer(x, later, tuple(seen), unseen)
        return self.head(self.ln_f(x))

    def decay_groups(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Divide the parameters into matrices, which may decay, and the rest, which should not."""
        matrices, rest = [], []
        for name, value in self.named_parameters():
            (matrices if value.dim() > 1 and not name.endswith("pos_emb") else rest).append(value)
        return matrices, rest

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.decoder["layers"].children() if isinstance(layer, _Layer)]

    def _times(self, time: Tensor) -> Tensor:
        """Give tokens that tell the time of the noise: (batch, 1 or horizon, dim)."""
        embedded = self.time_emb(time if time.dim() == 2 else time[:, None])
        return self.encoder(self.drop(embedded + self.cond_pos_emb[:, :1]))

    @staticmethod
    def _others_times(times: Tensor, length: int) -> Tensor:
        """Tell which tokens of time an action is not to read: those of others."""
        count = times.shape[1]
        if count == 1:
            return torch.zeros(length, 1, dtype=torch.bool, device=times.device)
        return ~torch.eye(length, dtype=torch.bool, device=times.device)

    @torch.no_grad()
    def _start(self) -> None:
        for name, value in self.named_parameters():
            if value.dim() > 1:
                value.normal_(0.0, INIT_STD)
            else:
                value.fill_(1.0 if name.endswith("weight") else 0.0)
