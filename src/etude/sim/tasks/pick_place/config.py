"""What can be chosen about pick-and-place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """A red block that lies anywhere on a mat is to be put into a bin."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
