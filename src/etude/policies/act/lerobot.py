"""LeRobot's names for what an ACT checkpoint holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from etude.core.errors import ConfigError
from etude.policies.act.config import Config
from etude.policies.lerobot_config import read_values, write_values

PREFIX = "model."
KNOWN = """
chunk_size n_action_steps normalization_mapping vision_backbone pre_norm dim_model n_heads dim_feedforward
feedforward_activation n_encoder_layers n_decoder_layers use_vae latent_dim n_vae_encoder_layers temporal_ensemble_coeff
dropout kl_weight optimizer_lr optimizer_weight_decay optimizer_lr_backbone
"""
ONLY = {"n_obs_steps": 1, "replace_final_stride_with_dilation": False}
"""Keys that we know with one value."""
ALIEN = {"image_size": None, "use_relative_actions": False, "image_tokens": "map"}
"""Keys that are ours alone, with the value that says what LeRobot does."""
SKIPPED = (
    "relative_exclude_joints", "use_imagenet_stats", "pretrained_backbone_weights", "drop_n_last_frames", "action_loss",
    "vision_config", "freeze_vision",
)  # fmt: skip
"""Keys of ours that say nothing without those, that the statistics say already, or that are about training."""


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    # ImageNet's numbers, where they were used, are in the checkpoint's own statistics.
    return dataclasses.replace(read_values(Config, stored, only=ONLY), use_imagenet_stats=False)


def write_config(config: Config) -> dict[str, Any]:
    """Give LeRobot's values for our config; raise `ConfigError` for one that it cannot express."""
    values = write_values(config, known=KNOWN, only=ONLY, alien=ALIEN, skipped=SKIPPED)
    if not config.vision_backbone.startswith("resnet"):
        raise ConfigError(f"LeRobot's ACT sees through a ResNet; vision_backbone = {config.vision_backbone!r} is ours.")
    if config.temporal_ensemble_coeff is not None and config.n_action_steps != 1:
        raise ConfigError(
            f"LeRobot plays one action of each chunk with temporal_ensemble_coeff; n_action_steps is "
            f"{config.n_action_steps}."
        )
    return values | {"pretrained_backbone_weights": None}


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name."""
    return {name.removeprefix(PREFIX): value for name, value in tensors.items()}


def rename_back(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor LeRobot's name."""
    return {PREFIX + name: value for name, value in tensors.items()}
