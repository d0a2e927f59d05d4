"""What can be chosen about sorting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """A red and a blue block are to be put into the bins of their colours."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
