"""How a robot is doing: what its motors feel, how well its wire carries, how fresh its pictures are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from etude.hardware.bus import Tally, Vitals


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
