"""What can be chosen about inserting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etude.sim.task_config import TaskConfig


@dataclass(frozen=True, kw_only=True)
class Config(TaskConfig):
    """A peg that stands anywhere on a mat is to be put into a hole."""

    text: ClassVar[str] = "Put the blue peg into the yellow hole."
