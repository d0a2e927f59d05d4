"""What one complete run on the simulated SO-101 is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

World = Literal["plain", "hard"]
SIZES = ("episodes", "minutes", "steps", "rollouts")
"""What of a recipe may be made larger or smaller."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Demonstrations of a task, a policy that learns from them, and rollouts in scenes that were not shown."""

    task: str
    """What is on the table."""
    world: World = "plain"
    """Plain: clean cameras, fresh gears. Hard: like a real desk, and shown as a person would."""
    episodes: int = 100
    """Demonstrations."""
    noise: float = 0.5
    """How hard the arm is pushed about while it is shown, 0 to 1."""
    record: tuple[str, ...] = ()
    """Further options of `etude record`."""
    poses: bool = False
    """Tell the policy where things are, in place of pictures: what no real table can, for reference."""
    policy: tuple[str, ...]
    """The policy and its options, for `etude train`."""
    policy_told_poses: tuple[str, ...]
    """The policy that needs no pictures, for reference."""
    train: tuple[str, ...] = ()
    """Further options of `etude train`."""
    minutes: float = 0.0
    """Training time [min]; 0: it is `steps` that counts."""
    steps: int = 1500
    """Updates, where no time is set."""
    is_coached: bool = False
    """Whether a demonstrator takes over where the trained policy fails, and it learns from that."""
    coaching: tuple[str, ...] = ()
    """Options of `etude coach`, for that case."""
    rollouts: int = 200
    """Rollouts that score the skill."""
    untrained: int = 0
    """Rollouts of an untrained policy, for comparison."""
    evaluate: tuple[str, ...] = ()
    """Further options of `etude eval`."""

    @property
    def name(self) -> str:
        """The task and the world."""
        return f"{self.task}, {self.world} world"

    def sized(self, sizes: Mapping[str, Any]) -> Self:
        """Give the same run with other `SIZES`; those that are none stay, and `steps` take the place of minutes."""
        changes = {name: value for name, value in sizes.items() if value is not None}
        if "steps" in changes:
            changes.setdefault("minutes", 0.0)
        return replace(self, **changes)

    def told_poses(self) -> Self:
        """Give the same run with a policy that is told where things are and sees nothing."""
        return replace(self, poses=True, policy=self.policy_told_poses, is_coached=False)
