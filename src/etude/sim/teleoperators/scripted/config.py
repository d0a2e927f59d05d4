"""What can be chosen about the scripted demonstrator."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """Shows the simulated arm how to do the task, each time a little differently."""

    noise: float = 0.0
    """How hard the arm is pushed about while it works, 0 to 1: recoveries to learn from (DART, Laskey et al., 2017)."""
    speed: tuple[float, float] = (0.7, 1.2)
    """Slowest and fastest it works; 1 is about 0.2 m/s."""
    pause_s: float = 0.0
    """Longest that it hesitates, which it does every second or two; 0: never [s]."""
    slips: float = 0.0
    """In what share of the episodes it lets something slip once, 0 to 1."""
    max_seconds: float | None = None
    """When it gives up a demonstration [s]. Default: 15 to 30, as the task says."""

    def __post_init__(self) -> None:
        if not 0 <= self.noise <= 1:
            raise ConfigError(f"noise should be from 0 to 1, got {self.noise}.")
        if not 0 < self.speed[0] <= self.speed[1]:
            raise ConfigError(f"speed should be two numbers above 0, the slower one first, got {self.speed}.")
        if self.pause_s < 0 or not 0 <= self.slips <= 1:
            raise ConfigError(
                f"pause_s should not be negative, slips from 0 to 1; got {self.pause_s} and {self.slips}."
            )
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise ConfigError(f"max_seconds should be positive, got {self.max_seconds}.")

    @classmethod
    def hard(cls) -> Config:
        """Like a person: of varied speed, with pauses and slips."""
        return cls(speed=(0.6, 1.4), pause_s=0.5, slips=0.2)

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls(max_seconds=1.0)
