"""What can be chosen about pushing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """A puck that lies anywhere on a mat is to be pushed into a circle."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
