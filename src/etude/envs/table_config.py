"""What can be chosen about every environment on the simulated table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from etude.core.errors import ConfigError
from etude.sim.task_config import TaskConfig

_HARD_TAKES = 1.5


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """A simulated SO-101, driven through its real protocol, with something to do."""

    width: int = 96
    """Width of both cameras' pictures [pixels]."""
    height: int = 96
    """Height of both cameras' pictures [pixels]."""
    cameras: tuple[str, ...] = ("front", "wrist")
    """Views that are drawn; none are for a policy that is told where things are (`task.poses`)."""
    hz: float = 30.0
    """Control ticks per second."""
    max_seconds: float = 10.0
    """After which an episode has failed [s]."""
    task: TaskConfig = field(default_factory=TaskConfig)
    """What is to be done, and how much the table differs from episode to episode."""

    def __post_init__(self) -> None:
        if self.hz <= 0 or self.max_seconds <= 0:
            raise ConfigError(f"hz and max_seconds should be positive, got {self.hz} and {self.max_seconds}.")

    @classmethod
    def hard(cls) -> Self:
        """On a desk like a real one, with half as much time again."""
        plain = cls()
        return replace(plain, task=type(plain.task).hard(), max_seconds=_HARD_TAKES * plain.max_seconds)

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working size."""
        return cls(width=16, height=12, max_seconds=0.5)
