"""Nothing can be chosen about an environment that cannot run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Config:
    """Refused: gym-xarm needs an older MuJoCo and an older Gymnasium than everything else here."""

    task: str = "XarmLift-v0"
    """The task's name in gym-xarm."""

    @classmethod
    def tiny(cls) -> Self:
        """The same."""
        return cls()
