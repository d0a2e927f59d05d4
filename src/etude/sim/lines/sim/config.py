"""What can be chosen about the simulated line: nothing, there is one world per process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """The wire to the servos of this process's simulated SO-101."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
