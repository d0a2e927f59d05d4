"""Which files of a LeRobot dataset hold what: what a format finds out, and reading needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etude.core.stats import Stats
from etude.data.dataset import Episode


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Where one episode's pictures of one camera are: `length` frames of a file, from number `start` on."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The episodes, and where their rows and pictures are."""

    episodes: Sequence[Episode]
    tasks: Sequence[str]
    stats: Mapping[str, Stats]
    tables: Sequence[Path]
    """The frame tables, in the order of their rows."""
    clips: Mapping[str, Sequence[Clip]]
    """Per video camera, one clip per episode."""
