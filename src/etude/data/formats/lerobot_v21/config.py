"""How a LeRobot v2.0 or v2.1 dataset is told from other folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from etude.data.lerobot.header import version_of


@dataclass(frozen=True, kw_only=True)
class Config:
    """LeRobot dataset, formats v2.0 and v2.1; there is nothing to choose."""

    LOOKS_FOR: ClassVar[str] = "meta/info.json of LeRobot v2.0 or v2.1"

    @classmethod
    def tiny(cls) -> Config:
        """Give the only options there are."""
        return cls()

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether folder `path` holds such a dataset."""
        return (version_of(path) or "").startswith("v2.")
