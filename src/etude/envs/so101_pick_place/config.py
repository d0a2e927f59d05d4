"""What can be chosen about the pick-and-place environment."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A simulated SO-101, driven through its real protocol, with a block to put into a bin."""

    width: int = 96
    """Width of both cameras' pictures [pixels]."""
    height: int = 96
    """Height of both cameras' pictures [pixels]."""
    hz: float = 30.0
    """Control ticks per second."""
    max_seconds: float = 10.0
    """After which an episode has failed [s]."""

    def __post_init__(self) -> None:
        if self.hz <= 0 or self.max_seconds <= 0:
            raise ConfigError(f"hz and max_seconds should be positive, got {self.hz} and {self.max_seconds}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls(width=16, height=12, max_seconds=0.5)
