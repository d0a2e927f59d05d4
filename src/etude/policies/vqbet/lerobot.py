"""LeRobot's names for what a VQ-BeT checkpoint holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from etude.core.errors import ConfigError
from etude.policies.lerobot_config import read_values, write_values
from etude.policies.vqbet.config import Config

PREFIX = "vqbet."
KNOWN = """
n_obs_steps n_action_pred_token action_chunk_size normalization_mapping vision_backbone crop_shape crop_is_random
use_group_norm spatial_softmax_num_keypoints n_vqvae_training_steps vqvae_n_embed vqvae_embedding_dim
vqvae_enc_hidden_dim gpt_block_size gpt_input_dim gpt_output_dim gpt_n_layer gpt_n_head gpt_hidden_dim dropout
offset_loss_weight primary_code_loss_weight secondary_code_loss_weight bet_softmax_temperature sequentially_select
optimizer_lr optimizer_betas optimizer_eps optimizer_weight_decay optimizer_vqvae_lr optimizer_vqvae_weight_decay
"""
ALIEN: dict[str, Any] = {"image_size": None, "use_relative_actions": False}
"""Keys that are ours alone, with the value that says what LeRobot does."""
SKIPPED = (
    "pretrained_backbone_weights", "vision_config", "freeze_vision", "vqvae_threshold_ema_dead_code",
    "drop_n_last_frames", "relative_exclude_joints",
)  # fmt: skip
"""Keys of ours that say nothing about how the policy acts."""
MOST_CAMERAS = 1
"""What LeRobot's looks through."""
_STEPS = "action_head.vqvae_model.optimized_steps"
_MASK = re.compile(r"policy\.transformer\.h\.\d+\.attn\.bias")
"""Which tokens come before which: known, but LeRobot stores it."""
_POSITIONS, _QUERY_WEIGHT = (
    "policy.transformer.wpe.weight",
    re.compile(r"(policy\.transformer\.h\.\d+\.attn\.)c_attn.w"),
)
_LAYERS = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_NUMBERS = {layer: number for number, layer in _LAYERS.items()}
_NUMBERED, _NAMED = (re.compile(rf"(?<=backbone\.)({names})(?=\.)") for names in (r"\d", r"conv1|bn1|layer\d"))
"""LeRobot numbers the picture encoder's layers; two of the numbers are layers without weights."""
_BOOK, _OWN_BOOK = re.compile(r"(vq_layer\.layers\.\d\.)_codebook\."), re.compile(r"(vq_layer\.layers\.\d\.)")


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    return read_values(Config, stored, only={}, skipped=("mlp_hidden_dim",))


def write_config(config: Config) -> dict[str, Any]:
    """Give LeRobot's values for our config; raise `ConfigError` for one that it cannot express."""
    values = write_values(config, known=KNOWN, only={}, alien=ALIEN, skipped=SKIPPED)
    if not config.vision_backbone.startswith("resnet"):
        raise ConfigError(
            f"LeRobot's VQ-BeT sees through a ResNet; vision_backbone = {config.vision_backbone!r} is ours."
        )
    return values | {"pretrained_backbone_weights": None}


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name. LeRobot forgets how many updates the codes have had."""
    named = {name.removeprefix(PREFIX): value for name, value in tensors.items()}
    own = {_ours(name): value for name, value in named.items() if not _MASK.fullmatch(name)}
    return own | {_STEPS: torch.tensor(0)}


def rename_back(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor LeRobot's name."""
    named = {_theirs(name): value for name, value in tensors.items() if name != _STEPS}
    size = len(tensors[_POSITIONS])
    mask = torch.ones(size, size).tril()[None, None]
    masks = {found[1] + "bias": mask.clone() for found in map(_QUERY_WEIGHT.match, tensors) if found}
    return {PREFIX + name: value for name, value in (named | masks).items()}


def _ours(name: str) -> str:
    return _NUMBERED.sub(lambda found: _LAYERS.get(found[0], found[0]), _BOOK.sub(r"\1", name))


def _theirs(name: str) -> str:
    return _NAMED.sub(lambda found: _NUMBERS[found[0]], _OWN_BOOK.sub(r"\1_codebook.", name))
