"""What every environment promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from etude.core.clock import Clock
from etude.core.frame import Frame
from etude.core.spec import Spec, Specs

Wait = Callable[[], None]
"""Returns when the present control tick is over."""


def no_wait() -> None:
    """End the tick at once."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one control tick led to."""

    frame: Frame
    """The next observation."""
    action: np.ndarray
    """The applied action: what the robot really did, after limits."""
    reward: float = 0.0
    terminated: bool = False
    """Ended by the task."""
    truncated: bool = False
    """Ended by a limit."""
    success: bool = False
    clipped: tuple[str, ...] = ()
    """Why the applied action is another than the one asked for."""


@runtime_checkable
class Env(Protocol):
    """Something an agent acts in."""

    observation: Specs
    action: Spec
    hz: float
    """Control ticks per second it is meant for."""
    clock: Clock
    max_ticks: int | None
    """Ticks after which an episode is truncated; none leaves that to who runs it."""

    def reset(self, seed: int) -> Frame:
        """Start an episode; the same seed gives the same start."""
        ...

    def step(self, action: np.ndarray, wait: Wait = no_wait) -> Step:
        """Apply `action`, let the tick pass with `wait`, and look again.

        A robot waits between moving and looking, which only it can do: hence the argument.
        """
        ...

    def close(self) -> None:
        """Release what the environment holds."""
        ...
