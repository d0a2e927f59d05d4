"""What an array looks like, written once: the same words check a value and make an example one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etude.core.errors import SpecMismatch


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What one array in a frame looks like."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    names: tuple[str, ...] = ()
    """One per element of the last axis, such as joint names."""
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"

    def check(self, key: str, value: np.ndarray) -> None:
        """Raise `SpecMismatch` unless `value` has this shape and dtype."""
        if value.shape != self.shape or value.dtype != self.dtype:
            raise SpecMismatch(key, str(self), f"{value.dtype}{list(value.shape)}")

    def example(self, rng: np.random.Generator | None = None) -> np.ndarray:
        """Make a value that passes `check`: zeros, or noise from `rng`."""
        if rng is None:
            return np.zeros(self.shape, self.dtype)
        if np.issubdtype(self.dtype, np.unsignedinteger):
            return rng.integers(0, np.iinfo(self.dtype).max, self.shape, self.dtype, endpoint=True)
        return rng.standard_normal(self.shape).astype(self.dtype)

    @property
    def is_image(self) -> bool:
        """Whether this is a picture: uint8, height x width x channels."""
        return self.dtype == "uint8" and len(self.shape) == 3

    @property
    def is_depth(self) -> bool:
        """Whether this is a picture of distances: uint16, height x width x 1."""
        return self.dtype == "uint16" and len(self.shape) == 3 and self.shape[2] == 1


Specs = Mapping[str, Spec]
