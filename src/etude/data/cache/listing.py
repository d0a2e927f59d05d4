"""What lies in the cache's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from etude.data.cache.boot import this_boot
from etude.data.cache.entry import COMPLETE, PARTIAL, Content


@dataclass(frozen=True)
class Stored:
    """An entry's file, as a listing finds it."""

    path: Path
    content: Content
    num_bytes: int
    """What it takes, or will take when it is complete."""
    used_at: float

    @property
    def is_complete(self) -> bool:
        """Whether all pictures are there."""
        return self.path.suffix == COMPLETE

    @property
    def is_trusted(self) -> bool:
        """Whether what it says is there, is."""
        return self.is_complete or self.path.name.endswith(f".{this_boot()}{PARTIAL}")


def entries_in(folder: Path) -> Iterator[Stored]:
    """Find all entries, in no order."""
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        content = Content.named(path.name)
        if content and path.suffix in (COMPLETE, PARTIAL):
            with suppress(FileNotFoundError):
                status = path.stat()
                yield Stored(path, content, status.st_size, status.st_mtime)
