"""Arithmetic that works on numpy arrays and on torch tensors alike, without importing torch.

One pipeline runs on a numpy frame beside the robot and on a batch on the training device. Both kinds of array have
operators and slicing in common; the few things they do not share are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = Any
"""A numpy array or a torch tensor."""

Values = Mapping[str, Array]
"""A frame or a batch: arrays by key, with any number of leading batch axes."""


def like(constant: np.ndarray, value: Array) -> Array:
    """Give `constant` the kind, dtype and device of `value`."""
    if isinstance(value, np.ndarray):
        return np.asarray(constant, value.dtype)
    return value.new_tensor(constant)


def to_float(value: Array) -> Array:
    """Convert to float32."""
    return value.astype(np.float32) if isinstance(value, np.ndarray) else value.float()


def channels_first(image: Array) -> Array:
    """Turn (..., height, width, channel) into (..., channel, height, width), without copying."""
    return np.moveaxis(image, -1, -3) if isinstance(image, np.ndarray) else image.movedim(-1, -3)
