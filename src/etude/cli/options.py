"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EVALUATION_SEEDS = 1_000_000_000
"""Scenes from here on are kept for evaluation; recording uses those below."""


@dataclass(frozen=True, kw_only=True)
class TrainedPolicy:
    """A trained policy."""

    path: Path
    """Its checkpoint folder: Etude's or LeRobot's."""
    replan: int = 0
    """Actions played of each chunk before a new one is asked for; 0: as the checkpoint says."""
