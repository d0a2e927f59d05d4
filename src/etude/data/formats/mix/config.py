"""How a mix of datasets is told from other folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

FILE = "mix.json"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Several datasets read as one; there is nothing to choose, `mix.json` says everything."""

    LOOKS_FOR: ClassVar[str] = FILE

    @classmethod
    def tiny(cls) -> Config:
        """Give the only options there are."""
        return cls()

    @classmethod
    def matches(cls, path: Path) -> bool:
        """Whether `path` is a `mix.json`, or a folder with one."""
        return (path if path.name == FILE else path / FILE).is_file()
