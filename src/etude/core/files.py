"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast


@contextmanager
def atomic(path: Path) -> Generator[Path]:
    """Yield a temporary sibling of `path` to write to; it takes the place of `path` when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield draft
        sync_file(draft)
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Bring a file to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, where the system can: what was renamed in it stays renamed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_json(path: Path, value: Any, *, indent: int = 2) -> None:
    """Write `value` as JSON, atomically."""
    with atomic(path) as draft:
        draft.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path, damaged: Callable[[Path, str], Exception]) -> dict[str, Any]:
    """Read a JSON object; raise what `damaged` makes of the path and the reason when there is none."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(path, f"cannot be read as JSON ({error}). Copy the file again.") from error
    if not isinstance(stored, dict):
        raise damaged(path, f"should hold a JSON object, got {type(stored).__name__}. Copy the file again.")
    return cast("dict[str, Any]", stored)
