"""How a robomimic dataset is told from other files, and what a user may say about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from etude.data.foreign.options import Options
from etude.data.foreign.signature import is_hdf5


@dataclass(frozen=True, kw_only=True)
class Config(Options):
    """Robomimic dataset: one HDF5 file with `/data/demo_0` and so on. LIBERO's files are read too."""

    LOOKS_FOR: ClassVar[str] = "an .hdf5 file of robomimic"

    mask: str = ""
    """Which filter of the file to read, such as `train`. Empty: all demonstrations."""

    @classmethod
    def tiny(cls) -> Config:
        """Give options that suit the smallest dataset."""
        return cls(fps=20)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether `path` is such a file."""
        return is_hdf5(path)
