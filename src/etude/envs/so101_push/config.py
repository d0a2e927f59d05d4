"""What can be chosen about the pushing environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from etude.envs.table_config import TableConfig
from etude.sim.tasks.push import config as push


@dataclass(frozen=True, kw_only=True)
class Config(TableConfig):
    """A simulated SO-101, driven through its real protocol, with a puck to push into a circle."""

    max_seconds: float = 12.0
    """After which an episode has failed [s]."""
    task: push.Config = field(default_factory=push.Config)
    """How much the table differs from episode to episode."""
