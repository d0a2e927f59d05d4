"""Values of the fake teleoperator."""

from __future__ import annotations

from dataclasses import dataclass

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A demonstration that needs no person: smooth waves, the same for the same seed."""

    num_joints: int = 6
    """How many joints it drives."""
    num_ticks: int = 60
    """How long a demonstration is."""
    amplitude: float = 10.0
    """How far each joint swings."""
    seed: int = 0
    """Decides the waves, together with the seed of each episode."""

    def __post_init__(self) -> None:
        if self.num_joints < 1 or self.num_ticks < 1:
            raise ConfigError(
                f"num_joints and num_ticks should be at least 1, got {self.num_joints} and {self.num_ticks}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(num_joints=2, num_ticks=4)
