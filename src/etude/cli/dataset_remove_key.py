"""`etude dataset remove-key`: leave out columns and cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, run_edit
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DatasetRemoveKey:
    """Remove keys: columns and cameras, with their videos and statistics."""

    root: Positional[Path]
    """The dataset's folder."""
    keys: Positional[tuple[str, ...]] = ()
    """The keys to remove."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetRemoveKey


def run(command: DatasetRemoveKey) -> int:
    """Remove, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetRemoveKey) -> Edit:
    from etude.data.edit import edits

    if not command.keys:
        raise UserError("Say which key to remove.")
    return f"removed {', '.join(command.keys)}", lambda source: edits.without(source, command.keys)
