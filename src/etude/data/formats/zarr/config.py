"""How a replay buffer of Diffusion Policy is told from other folders, and what a user may say about it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from etude.data.foreign.options import Options

_ENDS = "meta/episode_ends/"


@dataclass(frozen=True, kw_only=True)
class Config(Options):
    """Replay buffer of Diffusion Policy or UMI: a Zarr folder, or one in a `.zarr.zip` file."""

    LOOKS_FOR: ClassVar[str] = "meta/episode_ends of Zarr (Diffusion Policy)"

    @classmethod
    def tiny(cls) -> Config:
        """Give options that suit the smallest dataset."""
        return cls(fps=10)

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether `path` is such a folder or file."""
        if path.is_dir():
            return (path / _ENDS).is_dir() and (path / "data").is_dir()
        return path.suffix == ".zip" and path.is_file() and group_in(path) is not None


def group_in(path: Path) -> str | None:
    """Tell where in a zip file the replay buffer lies, such as `` or `buffer.zarr/`; nothing when there is none."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as file:
        ends = [name for name in file.namelist() if name.startswith(_ENDS) or f"/{_ENDS}" in name]
    return min((name[: name.index(_ENDS)] for name in ends), key=len, default=None)
