"""What can be chosen about stacking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """A red block is to be put on a blue one; both lie anywhere on a mat."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
