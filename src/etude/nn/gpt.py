"""A GPT that takes vectors instead of words: transformer layers in which each token reads those before it.

Layers and names are those of minGPT (Radford et al., 2019; Karpathy), which VQ-BeT's published weights have.
"""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

_STD = 0.02


class CausalAttention(nn.Module):
    """Attention from each token to itself and those before it."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self._num_heads, self._dropout = num_heads, dropout
        self.c_attn, self.c_proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens (batch, length, dim)."""
        query, key, value = self.c_attn(x).unflatten(-1, (3, self._num_heads, -1)).permute(2, 0, 3, 1, 4)
        dropout = self._dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        return F.dropout(self.c_proj(mixed.transpose(1, 2).flatten(2)), self._dropout, self.training)


class Block(nn.Module):
    """Attention and two linear layers, normalised before each."""

    def __init__(self, dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = CausalAttention(dim, num_heads, dropout)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), nn.Dropout(dropout))

    def forward(self, x: Tensor) -> Tensor:
        """Mix tokens (batch, length, dim)."""
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class _Transformer(nn.Module):
    """All but the last layer, under the name that minGPT has for it."""

    def __init__(self, wte: nn.Linear, wpe: nn.Embedding, dropout: float, blocks: list[Block]) -> None:
        super().__init__()
        self.wte, self.wpe, self.drop = wte, wpe, nn.Dropout(dropout)
        self.h, self.ln_f = nn.ModuleList(blocks), nn.LayerNorm(wpe.embedding_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.drop(self.wte(tokens) + self.wpe.weight[: tokens.shape[1]])
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class Gpt(nn.Module):
    """Tokens (batch, length, input_dim) to (batch, length, output_dim); `block_size` is the longest length."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        *,
        dim: int,
        num_layers: int,
        num_heads: int,
        block_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        blocks = [Block(dim, num_heads, dropout) for _ in range(num_layers)]
        self.transformer = _Transformer(nn.Linear(input_dim, dim), nn.Embedding(block_size, dim), dropout, blocks)
        self.lm_head = nn.Linear(dim, output_dim, bias=False)
        self.apply(_init)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):  # so that the sum of all layers starts as large as one
                nn.init.normal_(parameter, std=_STD / math.sqrt(2 * num_layers))

    def forward(self, tokens: Tensor) -> Tensor:
        """Let each token read those before it."""
        return self.lm_head(self.transformer(tokens))

    def decayed(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """Divide the parameters into those that weight decay is for, the matrices of linear layers, and the others."""
        wanted = {id(part.weight) for part in self.modules() if isinstance(part, nn.Linear)}
        parameters = list(self.parameters())
        return [one for one in parameters if id(one) in wanted], [one for one in parameters if id(one) not in wanted]


def _init(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
