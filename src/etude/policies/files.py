"""The files of a checkpoint: written whole or not at all, and read with words for what is wrong."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from etude.core import files
from etude.core.errors import CheckpointError, UserError


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty sibling of `folder` to fill; it takes the place of `folder` when the block succeeds."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    draft, old = (folder.with_name(f".{folder.name}.{token}.{end}") for end in ("tmp", "old"))
    draft.mkdir()
    try:
        yield draft
        _sync(draft)
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def require_new(folder: Path) -> None:
    """Raise `UserError` when something is at `folder` already: a command that writes a folder replaces none."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already. Choose a folder that is not, or delete it first.")


def point(link: Path, target: str) -> None:
    """Make `link` a symbolic link to `target`, relative to its own folder, in one step."""
    draft = link.with_name(f".{link.name}.{secrets.token_hex(4)}.tmp")
    draft.symlink_to(target, target_is_directory=True)
    draft.replace(link)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; raise `CheckpointError` when it is missing or damaged."""
    return files.read_json(path, CheckpointError)


@contextmanager
def blamed(path: Path) -> Iterator[None]:
    """Say of a mistake in a checkpoint's files where it is; it is not the caller's."""
    try:
        yield
    except UserError as error:
        raise CheckpointError(path, str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(path, f"its contents are not what they should be ({error!r}).") from error


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
