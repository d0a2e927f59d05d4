"""The network: frames and queries are read in turn by a transformer, and each query becomes a chunk of actions.

Tensor names are LeRobot's without their `vqbet.` prefix, but for those of the codebooks and of the picture encoder's
layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Spec, Specs
from etude.nn.gpt import Gpt
from etude.nn.heads.codes import num_used
from etude.policies.policy import NOISE, Batch
from etude.policies.seeing import picture_encoder, read_pretrained
from etude.policies.vqbet.config import Config
from etude.policies.vqbet.head import Head


def build(config: Config, observation: Specs, action: Spec) -> VqBet:
    """Build the network for a robot's specs, with random weights."""
    return VqBet(config, observation, action)


class VqBet(nn.Module):
    """Behaviour transformer with vector-quantised actions (Lee et al., 2024)."""

    select_target_actions_indices: Tensor

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras, width = config, images(observation), config.gpt_input_dim
        self.rgb_encoder = picture_encoder(config, observation)
        if self.rgb_encoder is not None:
            codes = 2 * config.spatial_softmax_num_keypoints
            self.rgb_feature_projector = nn.Sequential(nn.Linear(codes, width))
        self.action_token = nn.Parameter(torch.randn(1, 1, width))
        self.state_projector = nn.Sequential(nn.Linear(observation[STATE].shape[0], width))
        if ENVIRONMENT_STATE in observation:
            self.env_state_projector = nn.Sequential(nn.Linear(observation[ENVIRONMENT_STATE].shape[0], width))
        self.policy = Gpt(
            width,
            config.gpt_output_dim,
            dim=config.gpt_hidden_dim,
            num_layers=config.gpt_n_layer,
            num_heads=config.gpt_n_head,
            block_size=config.gpt_block_size,
            dropout=config.dropout,
        )
        self.action_head = Head(config, action.shape[0])
        first, time = torch.arange(config.num_queries), torch.arange(config.action_chunk_size)
        self.register_buffer("select_target_actions_indices", first[:, None] + time)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Give the codes' loss while they are learned, and afterwards that of choosing among them."""
        chunks = batch[ACTION][:, self.select_target_actions_indices]  # (batch, query, time, action)
        if self.action_head.vqvae_model.discretized:
            told = self.action_head(self._queries(batch).flatten(0, 1))
            return self.action_head.loss(told, chunks.flatten(0, 1))
        loss, error, codes = self.action_head.vqvae_model.loss(chunks.transpose(0, 1).flatten(0, 1))
        if self.training:
            self.action_head.vqvae_model.count(self.config.n_vqvae_training_steps)
        num_codes = num_used(codes, self.config.vqvae_n_embed)
        return loss, {"recon_l1_error": error.detach(), "n_different_codes": num_codes}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action) from this frame's on, normalised as the batch is.

        Codes are drawn; with `noise` (batch, 2, action) they are those at the quantiles of its first column.
        """
        noise = batch.get(NOISE)
        quantile = None if noise is None else torch.special.ndtr(noise[:, :, 0].float())
        return self.action_head(self._queries(batch, is_ahead=False)[:, -1], quantile).chunks

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the codes' encoder and decoder, and what is not to be decayed, groups of their own."""
        config, codes = self.config, list(self.action_head.vqvae_model.parameters())
        _, kept = self.policy.decayed()
        apart = {id(one) for one in (*codes, *kept)}
        shared = {"lr": config.optimizer_lr, "betas": config.optimizer_betas, "eps": config.optimizer_eps}
        rest = {"params": [one for one in self.parameters() if id(one) not in apart]}
        own = {"lr": config.optimizer_vqvae_lr, "weight_decay": config.optimizer_vqvae_weight_decay}
        return [
            shared | rest | {"weight_decay": config.optimizer_weight_decay},
            shared | {"params": codes} | own,
            shared | {"params": kept, "weight_decay": 0.0},
        ]

    def begin_training(self) -> None:
        """Read the picture encoder's pretrained weights, where there are some."""
        read_pretrained(self, self.config.pretrained_backbone_weights)

    def num_updates_before_acting(self) -> int:
        """Count the updates that are still to come before the codes are fixed."""
        codes = self.action_head.vqvae_model
        return 0 if codes.discretized else self.config.n_vqvae_training_steps - int(codes.optimized_steps)

    def _queries(self, batch: Batch, *, is_ahead: bool = True) -> Tensor:
        """Give what the transformer makes of the queries (batch, query, width), one after each frame and those ahead.

        Tokens after a query say nothing to it: without `is_ahead` those of the last frame are the last.
        """
        seen = self._see(batch)
        query = self.action_token.expand(*seen.shape[:2], 1, -1)
        tokens, num_frames = torch.cat([seen, query], 2), seen.shape[1]
        period, tokens = tokens.shape[2], tokens.flatten(1, 2)
        if is_ahead:
            ahead = self.action_token.expand(len(tokens), self.config.n_action_pred_token - 1, -1)
            tokens = torch.cat([tokens, ahead], 1)
        made = self.policy(tokens)
        last = num_frames * period
        return torch.cat([made[:, period - 1 : last : period], made[:, last:]], 1)

    def _see(self, batch: Batch) -> Tensor:
        """Give a token (batch, time, token, width) for each picture and each state of each frame."""
        tokens = [self.state_projector(batch[STATE])]
        if ENVIRONMENT_STATE in batch:
            tokens.append(self.env_state_projector(batch[ENVIRONMENT_STATE]))
        if self.rgb_encoder is not None:
            codes = self.rgb_encoder(torch.stack([batch[key] for key in self.cameras]))
            tokens = [*self.rgb_feature_projector(codes), *tokens]
        return torch.stack(tokens, 2)
