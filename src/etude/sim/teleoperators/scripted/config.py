"""What can be chosen about the scripted demonstrator."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """Shows the simulated arm how to do the task, each time a little differently."""

    noise: float = 0.0
    """How hard the arm is pushed about while it works, 0 to 1: recoveries to learn from (DART, Laskey et al., 2017)."""
    max_seconds: float | None = None
    """When it gives up a demonstration [s]. Default: 15 to 30, as the task says."""

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 1:
            raise ConfigError(f"noise should be from 0 to 1, got {self.noise}.")
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise ConfigError(f"max_seconds should be positive, got {self.max_seconds}.")

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls(max_seconds=1.0)
