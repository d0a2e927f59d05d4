"""How a robot is doing: what its motors feel, how well its wire carries, how fresh its pictures are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """How a motor feels."""

    voltage_v: float
    temperature_c: float
    load: float
    """Share of its full effort, -1 to 1; positive turns towards greater ticks."""
    faults: tuple[str, ...] = ()
    """What the motor complains of, in words: over-temperature, overload."""


@dataclass(kw_only=True)
class Tally:
    """What was asked of a motor and how often it failed to answer."""

    asked: int = 0
    missed: int = 0
    """Exchanges in which no answer came in time."""
    damaged: int = 0
    """Exchanges whose answer was garbled."""
    in_a_row: int = 0
    """Ticks without any answer, up to now."""


@dataclass(frozen=True, kw_only=True)
class CameraHealth:
    """How well a camera keeps up."""

    fps: float = 0.0
    """Pictures per second that really come."""
    age_s: float = 0.0
    """How old the newest picture is."""
    reconnects: int = 0
    """How often it had to be opened again."""
    problem: str = ""
    """Why there are no new pictures, in words."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a robot is doing, as last heard; asking costs nothing."""

    motors: Mapping[str, Vitals] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    cameras: Mapping[str, CameraHealth] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """What a person should know now, one sentence each."""
