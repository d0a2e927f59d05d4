"""What a calibration asks of whoever runs it: steps as plain values, which a terminal or a browser shows.

A calibration is a generator of steps. The door that runs it shows each step and sends an answer: `Answer.NEXT` when
the person is done with the step, `Answer.AGAIN` to do it over, or nothing, to be given the same step with fresh values.
Who sends nothing should wait a moment first, `POLL_S` on the clock of the arm.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from etude.hardware.calibration import Calibration

POLL_S = 0.02
"""How long a door waits between two looks at the same step, as LeRobot does."""


class Answer(Enum):
    """What the person says to a step."""

    NEXT = "next"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a person should know about the arm or the calibration."""

    sentence: str
    motor: str = ""
    is_serious: bool = True
    """Whether the calibration is probably wrong because of it."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """How far a joint has been moved, in ticks of its encoder, counted on beyond the end of a turn."""

    low: int
    now: int
    high: int
    resolution: int
    """Ticks in a turn."""
    expected_deg: float | None = None
    """How far the arm's body lets it turn, where that is known."""

    @property
    def moved_deg(self) -> float:
        """How far it was moved from one end to the other."""
        return (self.high - self.low) * 360 / self.resolution

    @property
    def share(self) -> float | None:
        """How much of what its body allows it has been moved."""
        return self.moved_deg / self.expected_deg if self.expected_deg else None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Ask the person to bring the arm into a pose and to hold it there."""

    sentence: str
    picture: str = ""
    """Name of the body that a door which can draw shows in this pose; empty when it is not known."""
    pose_deg: Mapping[str, float] = field(default_factory=dict)
    """The pose, by joint of that body."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Ask the person to move joints through their whole range, and show how far they have come."""

    sentence: str
    joints: Mapping[str, Swept]


@dataclass(frozen=True, kw_only=True)
class Moving:
    """The arm moves by itself."""

    sentence: str
    joints: Mapping[str, Swept]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Show what was found; `Answer.NEXT` takes it as it is where `may_accept`, otherwise it is done over."""

    sentence: str
    findings: tuple[Finding, ...]
    may_accept: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    """The result; nothing is stored yet."""

    calibration: Calibration
    findings: tuple[Finding, ...] = ()


Step = Hold | Sweep | Moving | Look | Done
Steps = Generator[Step, Answer | None, None]
