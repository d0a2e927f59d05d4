"""What every place that datasets are fetched from can do."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Unreachable(Exception):
    """The place does not answer, or breaks off."""


class Source(Protocol):
    """Files somewhere else, by their path relative to the dataset."""

    def listing(self, folder: str) -> list[str] | None:
        """List the files below `folder`; none where the place cannot tell. Raises `Unreachable`."""
        ...

    def fetch(self, path: str, root: Path) -> bool:
        """Make `root / path` what is there now, fetching nothing that has not changed; false when nothing is there.

        Raises `Unreachable`, and leaves the file as it was.
        """
        ...
