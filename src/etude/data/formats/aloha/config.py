"""How an ALOHA dataset is told from other folders, and what a user may say about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from etude.data.foreign.options import Options
from etude.data.foreign.signature import is_hdf5


@dataclass(frozen=True, kw_only=True)
class Config(Options):
    """ALOHA / ACT dataset: a folder of HDF5 files, `episode_0.hdf5` and so on."""

    LOOKS_FOR: ClassVar[str] = "episode_*.hdf5 of ALOHA or ACT"

    swap_red_blue: bool = False
    """Exchange red and blue; some recorders stored JPEG pictures that way, and faces come out blue."""

    @classmethod
    def tiny(cls) -> Config:
        """Give options that suit the smallest dataset."""
        return cls(fps=50)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether folder `path` holds such a dataset."""
        return path.is_dir() and any(is_hdf5(file) for file in path.glob("episode_*"))
