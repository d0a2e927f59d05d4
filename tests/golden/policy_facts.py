"""What the makers of golden answers tell LeRobot's policies: weights and inputs whose names and shapes decide them.

They are drawn from a generator whose stream is frozen for ever, so only the answers are stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array that its name and shape decide, float32."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    return random.standard_normal(shape).astype(np.float32)


def weight(name: str, shape: tuple[int, ...], *, is_normal: bool | None = None) -> np.ndarray:
    """Draw a weight of about the size that training gives; what belongs to a normalisation has one axis, or is told."""
    value = drawn(name, shape)
    if name.endswith("running_var"):
        return 1 + 0.1 * np.abs(value)
    if len(shape) == 1 if is_normal is None else is_normal:
        return np.float32(name.endswith("weight")) + 0.1 * value
    return value / np.float32(np.sqrt(max(1, np.prod(shape[1:]))))


def described(cameras: Sequence[str], size: tuple[int, int], state: int, action: int) -> dict[str, Any]:
    """Give what a config of LeRobot's needs to know of a robot."""
    from lerobot.configs.types import FeatureType, PolicyFeature

    visual = {key: PolicyFeature(FeatureType.VISUAL, (3, *size)) for key in cameras}
    return {
        "input_features": {"observation.state": PolicyFeature(FeatureType.STATE, (state,))} | visual,
        "output_features": {"action": PolicyFeature(FeatureType.ACTION, (action,))},
        "device": "cpu",
    }
