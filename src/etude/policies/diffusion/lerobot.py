"""LeRobot's names for what a Diffusion Policy checkpoint holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from etude.core.errors import ConfigError
from etude.policies.diffusion.config import Config
from etude.policies.lerobot_config import read_values, write_values

PREFIX = "diffusion."
KNOWN = """
n_obs_steps horizon n_action_steps normalization_mapping drop_n_last_frames vision_backbone resize_shape crop_shape
crop_is_random use_group_norm spatial_softmax_num_keypoints use_separate_rgb_encoder_per_camera down_dims kernel_size
n_groups diffusion_step_embed_dim use_film_scale_modulation noise_scheduler_type num_train_timesteps
num_inference_steps beta_schedule beta_start beta_end prediction_type clip_sample clip_sample_range
do_mask_loss_for_padding optimizer_lr optimizer_betas optimizer_eps optimizer_weight_decay scheduler_name
scheduler_warmup_steps
"""
ALIEN = {"denoiser": "unet", "image_size": None, "timestep_spacing": "leading", "use_relative_actions": False}
"""Keys that are ours alone, with the value that says what LeRobot does."""
SKIPPED = (
    "pretrained_backbone_weights", "n_layer", "n_head", "n_emb", "p_drop_emb", "p_drop_attn", "causal_attn",
    "transformer_weight_decay", "half_weights", "relative_exclude_joints", "vision_config", "freeze_vision",
)  # fmt: skip
"""Keys of ours that say nothing about how the policy acts."""
_LAYERS = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_NUMBERED = re.compile(r"(?<=backbone\.)\d(?=\.)")
_NAMED = re.compile(r"(?<=backbone\.)(conv1|bn1|layer\d)(?=\.)")
"""LeRobot numbers the picture encoder's layers; two of the numbers are layers without weights."""


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    # The ratio is spent when the config is made: what is cropped is stored too.
    return read_values(Config, stored, only={}, skipped=("crop_ratio", "gradient_checkpointing"))


def write_config(config: Config) -> dict[str, Any]:
    """Give LeRobot's values for our config; raise `ConfigError` for one that it cannot express."""
    values = write_values(config, known=KNOWN, only={}, alien=ALIEN, skipped=SKIPPED)
    if not config.vision_backbone.startswith("resnet"):
        raise ConfigError(
            f"LeRobot's Diffusion Policy sees through a ResNet; vision_backbone = {config.vision_backbone!r} is ours."
        )
    if config.prediction_type == "v_prediction":
        raise ConfigError("LeRobot's Diffusion Policy tells the noise or the actions; prediction_type is v_prediction.")
    halvings = 2 ** len(config.down_dims)
    if config.horizon % halvings:
        raise ConfigError(f"LeRobot wants a horizon that is a multiple of {halvings}; it is {config.horizon}.")
    return values | {"pretrained_backbone_weights": None, "crop_ratio": _crop_ratio(config)}


def _crop_ratio(config: Config) -> float:
    """Give the share from which LeRobot works out what it crops of a resized picture."""
    if not (config.resize_shape and config.crop_shape):
        return 1.0
    pairs = list(zip(config.crop_shape, config.resize_shape, strict=True))
    ratio = max(crop / whole for crop, whole in pairs)
    if any(int(whole * ratio) != crop for crop, whole in pairs):
        raise ConfigError(
            f"LeRobot crops the same share of both sides of a resized picture; crop_shape {list(config.crop_shape)} of "
            f"{list(config.resize_shape)} is not that."
        )
    return ratio


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name."""
    return {
        _NUMBERED.sub(lambda found: _LAYERS.get(found[0], found[0]), name.removeprefix(PREFIX)): value
        for name, value in tensors.items()
    }


def rename_back(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor LeRobot's name."""
    numbers = {layer: number for number, layer in _LAYERS.items()}
    return {PREFIX + _NAMED.sub(lambda found: numbers[found[0]], name): value for name, value in tensors.items()}
