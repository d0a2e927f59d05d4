"""What every task on the simulated table promises."""

# pyright: reportAttributeAccessIssue=false
# MuJoCo tells type checkers nothing about its compiled half.

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from etude.hardware.physics import mujoco
from etude.sim.moves import Style, View, Wish
from etude.sim.objects import Area

if TYPE_CHECKING:
    from etude.sim.world import World


@runtime_checkable
class Task(Protocol):
    """Something to achieve: what lies on the table, how it begins, when it is done, and how it could be done."""

    text: str
    """What is to be achieved, as one sentence."""
    objects: tuple[str, ...]
    """The bodies that can be moved; a demonstrator sees them."""
    area: Area
    """Where things lie at the beginning."""
    room_m: float
    """Between a distractor and the next thing, where there is so much room: the fingers fit in."""
    patience_s: float
    """After which a demonstrator gives up [s]."""

    def add(self, spec: mujoco.MjSpec) -> None:
        """Put everything the task needs on the table."""
        ...

    def reset(self, world: World, rng: np.random.Generator) -> None:
        """Lay things out for a new episode."""
        ...

    def success(self, world: World) -> bool:
        """Whether it is done, right now."""
        ...

    def decide(self, view: View, style: Style) -> Wish:
        """Give what a demonstrator should do now; the same view always leads to the same wish."""
        ...
