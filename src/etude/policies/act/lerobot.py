"""LeRobot's names for what an ACT checkpoint holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from etude.core.codec import decode
from etude.core.errors import ConfigError
from etude.policies.act.config import Config

PREFIX = "model."

ABOUT_TRAINING = {
    "type", "input_features", "output_features", "device", "use_amp", "use_peft", "push_to_hub", "repo_id", "private",
    "tags", "license", "pretrained_path", "pretrained_revision", "pretrained_backbone_weights",
}  # fmt: skip
"""Keys that say nothing about how the policy acts."""

ONLY = {"n_obs_steps": 1, "replace_final_stride_with_dilation": False}
"""Keys that we know with one value."""


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    for key, value in ONLY.items():
        if stored.get(key, value) not in (value, int(value)):
            raise ConfigError(f"LeRobot's {key} = {stored[key]} is not supported for ACT; only {value} is.")
    values = {key: value for key, value in stored.items() if key not in ABOUT_TRAINING | ONLY.keys()}
    # ImageNet's numbers, where they were used, are in the checkpoint's own statistics.
    return dataclasses.replace(decode(Config, values, where="config.json"), use_imagenet_stats=False)


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name."""
    return {name.removeprefix(PREFIX): value for name, value in tensors.items()}
