"""What can be chosen about every task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

from etude.sim.randomization import Randomization


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """A task on the simulated table."""

    text: ClassVar[str]
    """What is to be achieved, as one sentence."""
    poses: bool = False
    """Tell where things are, as observation.environment_state: for policies without cameras. No real table can."""
    randomization: Randomization = field(default_factory=Randomization)
    """How much the table differs from episode to episode."""

    @classmethod
    def hard(cls) -> Self:
        """The same task on a desk like a real one."""
        return cls(randomization=Randomization.hard())

    @classmethod
    def tiny(cls) -> Self:
        """Smallest working size."""
        return cls()
