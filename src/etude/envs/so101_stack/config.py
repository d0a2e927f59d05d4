"""What can be chosen about the stacking environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from etude.envs.table_config import TableConfig
from etude.sim.tasks.stack import config as stack


@dataclass(frozen=True, kw_only=True)
class Config(TableConfig):
    """A simulated SO-101, driven through its real protocol, with two blocks, one to put on the other."""

    task: stack.Config = field(default_factory=stack.Config)
    """How much the table differs from episode to episode."""
