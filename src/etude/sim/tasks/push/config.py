"""What can be chosen about pushing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.sim.task_config import TaskConfig


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """A puck that lies anywhere on a mat is to be pushed into a circle."""

    text: ClassVar[str] = "Push the blue puck into the white circle."
