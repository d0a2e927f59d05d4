"""Where files lie that only save time: nothing in there is needed, and the oldest make room for new ones."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from etude.core.run import home


def cache_folder(kind: str) -> Path:
    """Give the folder for files of one kind: in `$ETUDE_CACHE`, else in `cache` below Etude's home."""
    return Path(os.environ.get("ETUDE_CACHE") or home() / "cache") / kind


def make_room(folder: Path, limit_bytes: int, keep: Collection[Path] = ()) -> list[Path]:
    """Delete the files below `folder` that were touched longest ago, until the rest fits; tell which went.

    Those in `keep` stay, and programs that have a deleted file open may go on reading it.
    """
    sizes = {path: _size_and_time(path) for path in folder.rglob("*") if path.is_file()}
    excess = sum(size for size, _ in sizes.values()) - limit_bytes
    gone: list[Path] = []
    for path, (size, _) in sorted(sizes.items(), key=lambda item: item[1][1]):
        if excess <= 0:
            break
        if path not in keep:
            with suppress(OSError):
                path.unlink()
                excess -= size
                gone.append(path)
    return gone


def touch(path: Path) -> None:
    """Note that a file was used; where that cannot be noted it does not matter."""
    with suppress(OSError):
        os.utime(path)


def _size_and_time(path: Path) -> tuple[int, float]:
    try:
        status = path.stat()
    except OSError:  # another program deleted it
        return 0, 0.0
    # A file with holes takes the blocks that are filled.
    return min(status.st_size, getattr(status, "st_blocks", status.st_size) * 512), status.st_mtime
