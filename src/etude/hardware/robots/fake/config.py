"""Values of the fake robot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from etude.core.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Config:
    """A robot that needs no hardware: its joints follow their goals, its cameras are whatever you choose."""

    num_joints: int = 6
    """How many joints it has."""
    cameras: dict[str, Any] = field(default_factory=dict)
    """Camera configs by name; a fake camera called `front` when there are none."""
    limit: float = 100.0
    """Greatest joint position either way."""
    follow: float = 0.5
    """Share of the way to its goal that a joint goes per action."""
    seed: int = 0
    """Decides where the joints start."""

    def __post_init__(self) -> None:
        if self.num_joints < 1 or self.limit <= 0 or not 0 < self.follow <= 1:
            raise ConfigError(
                f"num_joints should be at least 1, limit positive and follow above 0 up to 1, "
                f"got {self.num_joints}, {self.limit} and {self.follow}."
            )

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working values."""
        return cls(num_joints=2)
