"""LeRobot's names for what an ACT checkpoint holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from etude.policies.act.config import Config
from etude.policies.lerobot_config import read_values

PREFIX = "model."
ONLY = {"n_obs_steps": 1, "replace_final_stride_with_dilation": False}
"""Keys that we know with one value."""


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    # ImageNet's numbers, where they were used, are in the checkpoint's own statistics.
    return dataclasses.replace(read_values(Config, stored, only=ONLY), use_imagenet_stats=False)


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name."""
    return {name.removeprefix(PREFIX): value for name, value in tensors.items()}
