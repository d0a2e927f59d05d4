"""What can be chosen about sorting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.sim.task_config import TaskConfig


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """A red and a blue block are to be put into the bins of their colours."""

    text: ClassVar[str] = "Put each block into the bin of its colour."
