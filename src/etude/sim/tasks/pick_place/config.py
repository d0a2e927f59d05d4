"""What can be chosen about pick-and-place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.sim.task_config import TaskConfig


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """A red block that lies anywhere on a mat is to be put into a bin."""

    text: ClassVar[str] = "Put the red block into the bin."
