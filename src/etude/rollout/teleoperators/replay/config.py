"""What can be chosen about a recorded episode that drives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """The actions of a recorded episode, one a tick."""

    root: Path
    """The dataset's folder."""
    episode: int = 0
    """Which episode, from 0."""

    def __post_init__(self) -> None:
        if self.episode < 0:
            raise ConfigError(f"episode should not be negative, got {self.episode}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values; they need a dataset."""
        return cls(root=Path("recorded"))
