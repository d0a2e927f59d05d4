"""What can be chosen about stacking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.sim.task_config import TaskConfig


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """A red block is to be put on a blue one; both lie anywhere on a mat."""

    text: ClassVar[str] = "Put the red block on the blue block."
