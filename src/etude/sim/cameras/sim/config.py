"""What can be chosen about a simulated camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etude.core.errors import ConfigError

MAX_WIDTH, MAX_HEIGHT = 1280, 960


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera that looks at this process's simulated SO-101."""

    view: Literal["front", "wrist"] = "front"
    """Where it is: in front of the table, or on the gripper."""
    width: int = 96
    """Picture width [pixels]."""
    height: int = 96
    """Picture height [pixels]."""

    def __post_init__(self) -> None:
        if not (0 < self.width <= MAX_WIDTH and 0 < self.height <= MAX_HEIGHT):
            raise ConfigError(
                f"A simulated camera gives up to {MAX_WIDTH} x {MAX_HEIGHT} pixels, got {self.width} x {self.height}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls(width=16, height=12)
