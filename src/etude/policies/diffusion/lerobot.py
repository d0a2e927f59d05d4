"""LeRobot's names for what a Diffusion Policy checkpoint holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from etude.policies.diffusion.config import Config
from etude.policies.lerobot_config import read_values

PREFIX = "diffusion."
_LAYERS = {"0": "conv1", "1": "bn1", "4": "layer1", "5": "layer2", "6": "layer3", "7": "layer4"}
_NUMBERED = re.compile(r"(?<=backbone\.)\d(?=\.)")
"""LeRobot numbers the picture encoder's layers; two of the numbers are layers without weights."""


def read_config(stored: Mapping[str, Any]) -> Config:
    """Give our config for LeRobot's `config.json`; raise `ConfigError` for a value that we cannot follow."""
    # The ratio is spent when the config is made: what is cropped is stored too.
    return read_values(Config, stored, only={}, skipped=("crop_ratio",))


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each tensor our name."""
    return {
        _NUMBERED.sub(lambda found: _LAYERS.get(found[0], found[0]), name.removeprefix(PREFIX)): value
        for name, value in tensors.items()
    }
