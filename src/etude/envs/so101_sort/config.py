"""What can be chosen about the sorting environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from etude.envs.table_config import TableConfig
from etude.sim.tasks.sort import config as sort


@dataclass(frozen=True, kw_only=True)
class Config(TableConfig):
    """A simulated SO-101, driven through its real protocol, with two blocks to sort into two bins by colour."""

    max_seconds: float = 20.0
    """After which an episode has failed [s]."""
    task: sort.Config = field(default_factory=sort.Config)
    """How much the table differs from episode to episode."""
