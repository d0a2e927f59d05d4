"""Values of the fake camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A camera that needs no hardware: numbered pictures, the same in every run."""

    stays_in_process: ClassVar[bool] = True

    width: int = 64
    """Picture width [pixels]."""
    height: int = 48
    """Picture height [pixels]."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ConfigError(f"A picture should be at least 1 x 1 pixels, got {self.width} x {self.height}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(width=16, height=12)
