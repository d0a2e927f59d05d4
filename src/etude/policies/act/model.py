"""The network: a transformer reads the observation, and one query per future action reads the transformer.

Tensor names are LeRobot's without their `model.` prefix, so its checkpoints fit.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from etude.core.frame import ACTION, ENVIRONMENT_STATE, STATE, images
from etude.core.spec import Spec, Specs
from etude.nn.attention import DecoderLayer, EncoderLayer
from etude.nn.losses import REGRESSIONS, kl_to_standard_normal
from etude.nn.positions import sine_1d
from etude.nn.resnet import FrozenBatchNorm
from etude.policies.act.config import Config
from etude.policies.act.tokens import FlatTokens, MapTokens
from etude.policies.policy import Batch
from etude.policies.seeing import backbone_of, read_pretrained

IS_PAD = f"{ACTION}_is_pad"


def build(config: Config, observation: Specs, action: Spec) -> Act:
    """Build the network for a robot's specs, with random weights."""
    return Act(config, observation, action)


class Encoder(nn.Module):
    """Transformer layers over tokens."""

    def __init__(self, config: Config, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(**_layer(config)) for _ in range(num_layers))
        self.norm = nn.LayerNorm(config.dim_model) if config.pre_norm else nn.Identity()
        _xavier(self)

    def forward(self, x: Tensor, position: Tensor, is_pad: Tensor | None = None, first: int | None = None) -> Tensor:
        """Mix tokens `x` (batch, length, dim), which lie at `position` (length, dim); give the `first`, or all."""
        *before, last = self.layers
        for layer in before:
            x = layer(x, position, is_pad)
        return self.norm(last(x, position, is_pad, first))


class Decoder(nn.Module):
    """Transformer layers from action queries to the observation's tokens."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(**_layer(config)) for _ in range(config.n_decoder_layers))
        self.norm = nn.LayerNorm(config.dim_model)
        _xavier(self)

    def forward(self, memory: Tensor, position: Tensor, memory_position: Tensor) -> Tensor:
        """Let queries at `position` (time, dim) read `memory` (batch, length, dim)."""
        x = None
        for layer in self.layers:
            x = layer(x, memory, position, memory_position)
        return self.norm(x)


class Act(nn.Module):
    """Action Chunking Transformer."""

    def __init__(self, config: Config, observation: Specs, action: Spec) -> None:
        super().__init__()
        self.config, self.cameras, dim = config, images(observation), config.dim_model
        if config.use_vae:
            self._add_vae(observation, action)
        if self.cameras:
            self._add_cameras(observation)
        self.encoder, self.decoder = Encoder(config, config.n_encoder_layers), Decoder(config)
        if STATE in observation:
            self.encoder_robot_state_input_proj = nn.Linear(observation[STATE].shape[0], dim)
        if ENVIRONMENT_STATE in observation:
            self.encoder_env_state_input_proj = nn.Linear(observation[ENVIRONMENT_STATE].shape[0], dim)
        self.encoder_latent_input_proj = nn.Linear(config.latent_dim, dim)
        num_vectors = 1 + (STATE in observation) + (ENVIRONMENT_STATE in observation)
        self.encoder_1d_feature_pos_embed = nn.Embedding(num_vectors, dim)
        self.decoder_pos_embed = nn.Embedding(config.chunk_size, dim)
        self.action_head = nn.Linear(dim, action.shape[0])

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean error over the actions that exist, plus the latent's divergence while training."""
        latent, divergence = self._latent(batch)
        kind = self.config.action_loss
        error = REGRESSIONS[kind](self._chunk(batch, latent), batch[ACTION], batch.get(IS_PAD))
        if divergence is None:
            return error, {kind: error.detach()}
        total = error + self.config.kl_weight * divergence
        return total, {kind: error.detach(), "kl": divergence.detach()}

    def act(self, batch: Batch) -> Tensor:
        """Give chunks (batch, time, action), normalised as the batch is."""
        return self._chunk(batch, self._no_latent(batch))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the picture encoder its own learning rate."""
        own = [value for name, value in self.named_parameters() if name.startswith("backbone.")]
        rest = [value for name, value in self.named_parameters() if not name.startswith("backbone.")]
        groups = [{"params": rest, "lr": self.config.optimizer_lr}]
        return [*groups, {"params": own, "lr": self.config.optimizer_lr_backbone}] if own else groups

    def begin_training(self) -> None:
        """Read the picture encoder's pretrained weights, where there are some."""
        read_pretrained(self, self.config.pretrained_backbone_weights)

    def _add_vae(self, observation: Specs, action: Spec) -> None:
        dim, config = self.config.dim_model, self.config
        self.vae_encoder = Encoder(config, config.n_vae_encoder_layers)
        self.vae_encoder_cls_embed = nn.Embedding(1, dim)
        if STATE in observation:
            self.vae_encoder_robot_state_input_proj = nn.Linear(observation[STATE].shape[0], dim)
        self.vae_encoder_action_input_proj = nn.Linear(action.shape[0], dim)
        self.vae_encoder_latent_output_proj = nn.Linear(dim, 2 * config.latent_dim)
        length = 1 + (STATE in observation) + config.chunk_size
        self.register_buffer("vae_encoder_pos_enc", sine_1d(length, dim)[None])

    def _add_cameras(self, observation: Specs) -> None:
        config = self.config
        self.backbone = backbone_of(config, FrozenBatchNorm)
        if config.image_tokens == "map":
            self.encoder_img_feat_input_proj = MapTokens(self.backbone.channels, config.dim_model)
            return
        sizes = [config.image_size or observation[key].shape[:2] for key in self.cameras]
        pixels = [self.backbone.map_size(height) * self.backbone.map_size(width) for height, width in sizes]
        self.encoder_img_feat_input_proj = FlatTokens([self.backbone.channels * n for n in pixels], config.dim_model)

    def _latent(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Sample the latent (batch, latent) of the demonstrated chunk, with its divergence from N(0, 1)."""
        if not (self.config.use_vae and self.training):
            return self._no_latent(batch), None
        tokens = [self.vae_encoder_action_input_proj(batch[ACTION])]
        if STATE in batch:
            tokens.insert(0, self.vae_encoder_robot_state_input_proj(batch[STATE])[:, None])
        tokens.insert(0, self.vae_encoder_cls_embed.weight.expand(len(tokens[0]), 1, -1))
        joined = torch.cat(tokens, 1)
        is_pad = torch.zeros(joined.shape[:2], dtype=torch.bool, device=joined.device)
        if IS_PAD in batch:
            is_pad[:, -self.config.chunk_size :] = batch[IS_PAD]
        summary = self.vae_encoder(joined, self.get_buffer("vae_encoder_pos_enc")[0], is_pad, first=1)[:, 0]
        mean, log_variance = self.vae_encoder_latent_output_proj(summary).float().chunk(2, -1)
        latent = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return latent, kl_to_standard_normal(mean, log_variance)

    def _no_latent(self, batch: Batch) -> Tensor:
        known = batch[next(key for key in (STATE, ENVIRONMENT_STATE, *self.cameras) if key in batch)]
        return known.new_zeros(len(known), self.config.latent_dim)

    def _chunk(self, batch: Batch, latent: Tensor) -> Tensor:
        memory, position = self._observe(batch, latent)
        memory = self.encoder(memory, position)
        return self.action_head(self.decoder(memory, self.decoder_pos_embed.weight, position)).float()

    def _observe(self, batch: Batch, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Give the observation's tokens (batch, length, dim) and their positions (length, dim)."""
        vectors = [self.encoder_latent_input_proj(latent)]
        if STATE in batch:
            vectors.append(self.encoder_robot_state_input_proj(batch[STATE]))
        if ENVIRONMENT_STATE in batch:
            vectors.append(self.encoder_env_state_input_proj(batch[ENVIRONMENT_STATE]))
        tokens, position = torch.stack(vectors, 1), self.encoder_1d_feature_pos_embed.weight
        if not self.cameras:
            return tokens, position
        seen, at = self.encoder_img_feat_input_proj(self._maps([batch[key] for key in self.cameras]))
        return torch.cat([tokens, seen], 1), torch.cat([position, at])

    def _maps(self, pictures: list[Tensor]) -> list[Tensor]:
        """Give each camera's map; cameras with pictures of one size go through the encoder together.

        An encoder that normalises by the batch would see another batch then, and does not.
        """
        is_batched = any(isinstance(module, nn.BatchNorm2d) for module in self.backbone.modules())
        if is_batched or len({picture.shape for picture in pictures}) > 1:
            return [self.backbone(picture) for picture in pictures]
        return list(self.backbone(torch.cat(pictures)).chunk(len(pictures)))


def _layer(config: Config) -> dict[str, Any]:
    return {
        "dim": config.dim_model,
        "num_heads": config.n_heads,
        "hidden": config.dim_feedforward,
        "dropout": config.dropout,
        "activation": config.feedforward_activation,
        "pre_norm": config.pre_norm,
    }


def _xavier(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
