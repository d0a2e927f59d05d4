"""What can be chosen about inserting."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """A peg that stands anywhere on a mat is to be put into a hole."""

    @classmethod
    def tiny(cls) -> Config:
        """Smallest working size."""
        return cls()
