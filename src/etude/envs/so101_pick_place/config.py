"""What can be chosen about the pick-and-place environment."""

from __future__ import annotations

from dataclasses import dataclass, field

from etude.envs.table_config import TableConfig
from etude.sim.tasks.pick_place import config as pick_place


@dataclass(frozen=True, kw_only=True)
class Config(TableConfig):
    """A simulated SO-101, driven through its real protocol, with a block to put into a bin."""

    task: pick_place.Config = field(default_factory=pick_place.Config)
    """How much the table differs from episode to episode."""
