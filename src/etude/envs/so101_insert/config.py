"""What can be chosen about the inserting environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from etude.envs.table_config import TableConfig
from etude.sim.tasks.insert import config as insert


@dataclass(frozen=True, kw_only=True)
class Config(TableConfig):
    """A simulated SO-101, driven through its real protocol, with a peg to put into a hole."""

    max_seconds: float = 12.0
    """After which an episode has failed [s]."""
    task: insert.Config = field(default_factory=insert.Config)
    """How much the table differs from episode to episode."""
