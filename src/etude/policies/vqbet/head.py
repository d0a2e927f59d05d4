"""From a query's vector to a chunk: which codes, and how far the chunk is from what they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  its name everywhere
from torch import Tensor, nn

from etude.nn.heads.codes import NUM_LAYERS, ChunkCodes, drawn
from etude.nn.losses import focal
from etude.policies.vqbet.config import Config


@dataclass(frozen=True)
class Told:
    """What the head tells of rows of queries."""

    logits: Tensor
    """Of the codes (row, layer, code)."""
    codes: Tensor
    """Those drawn (row, layer)."""
    chunks: Tensor
    """What they stand for, moved by the offsets (row, time, action)."""


class Head(nn.Module):
    """Chooses codes for chunks and moves what they stand for; tensor names are LeRobot's."""

    def __init__(self, config: Config, num_joints: int) -> None:
        super().__init__()
        self._config, self._chunk = config, (config.action_chunk_size, num_joints)
        num_codes, width = config.vqvae_n_embed, config.gpt_output_dim
        self.vqvae_model = ChunkCodes(
            self._chunk,
            num_codes=num_codes,
            dim=config.vqvae_embedding_dim,
            hidden=config.vqvae_enc_hidden_dim,
            least_rows=config.vqvae_threshold_ema_dead_code,
        )
        if config.sequentially_select:
            self.map_to_cbet_preds_primary_bin = _linear(width, num_codes)
            self.map_to_cbet_preds_secondary_bin = _linear(width + num_codes, num_codes)
        else:
            self.map_to_cbet_preds_bin = _linear(width, NUM_LAYERS * num_codes)
        self.map_to_cbet_preds_offset = _linear(width, NUM_LAYERS * num_codes * self._chunk[0] * num_joints)

    def forward(self, queries: Tensor, quantile: Tensor | None = None) -> Told:
        """Tell of queries (row, width); codes are drawn, or taken at `quantile` (row, layer) of 0..1."""
        logits, codes = (self._in_turn if self._config.sequentially_select else self._at_once)(queries, quantile)
        offsets = self.map_to_cbet_preds_offset(queries).unflatten(-1, (NUM_LAYERS, -1, *self._chunk))
        index = codes[:, :, None, None, None].expand(-1, -1, 1, *self._chunk)
        offset = offsets.gather(2, index).sum((1, 2))
        return Told(logits, codes, self.vqvae_model.decode(codes) + offset.float())

    def loss(self, told: Told, wanted: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Weigh the choice of codes and the error of chunks, whose like is `wanted` (row, time, action)."""
        config, right = self._config, self.vqvae_model.encode(wanted)
        coarse, fine = (focal(told.logits[:, layer], right[:, layer]) for layer in range(NUM_LAYERS))
        choice = config.primary_code_loss_weight * coarse + config.secondary_code_loss_weight * fine
        offset = (wanted - told.chunks).abs().mean()
        is_right = (told.codes == right).float().mean(0)
        parts = {"classification_loss": choice.detach(), "offset_loss": offset.detach()}
        parts |= {"equal_primary_code_rate": is_right[0], "equal_secondary_code_rate": is_right[1]}
        return choice + config.offset_loss_weight * offset, parts

    def _at_once(self, queries: Tensor, quantile: Tensor | None) -> tuple[Tensor, Tensor]:
        logits = self.map_to_cbet_preds_bin(queries).unflatten(-1, (NUM_LAYERS, -1))
        return logits, drawn(self._probabilities(logits), quantile)

    def _in_turn(self, queries: Tensor, quantile: Tensor | None) -> tuple[Tensor, Tensor]:
        """Choose the fine code knowing the coarse one."""
        quantiles = (None, None) if quantile is None else quantile.unbind(-1)
        coarse = self.map_to_cbet_preds_primary_bin(queries)
        first = drawn(self._probabilities(coarse), quantiles[0])
        known = torch.cat([queries, F.one_hot(first, self._config.vqvae_n_embed).to(queries.dtype)], -1)
        fine = self.map_to_cbet_preds_secondary_bin(known)
        second = drawn(self._probabilities(fine), quantiles[1])
        return torch.stack([coarse, fine], 1), torch.stack([first, second], 1)

    def _probabilities(self, logits: Tensor) -> Tensor:
        return (logits.float() / self._config.bet_softmax_temperature).softmax(-1)


def _linear(before: int, after: int) -> nn.Sequential:
    """Make a linear layer under the number that LeRobot's has."""
    return nn.Sequential(nn.Linear(before, after))
