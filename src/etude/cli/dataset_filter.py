"""`etude dataset filter`: keep the episodes that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, episodes_in, run_edit
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DatasetFilter:
    """Keep the episodes that all given options let through; the others are deleted."""

    root: Positional[Path]
    """The dataset's folder."""
    keep: str = ""
    """Episode numbers, such as 0-9,12."""
    task: str = ""
    """Task text."""
    min_length: int = 0
    """Fewest frames."""
    max_length: int = 0
    """Most frames; 0: any number."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetFilter


def run(command: DatasetFilter) -> int:
    """Filter, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetFilter) -> Edit:
    from etude.data.edit import edits

    given = {name: getattr(command, name) for name in ("keep", "task", "min_length", "max_length")}
    said = ", ".join(f"{name} {value}" for name, value in given.items() if value)
    if not said:
        raise UserError("Say what is to be kept: --keep, --task, --min_length or --max_length.")
    among = episodes_in(command.keep) if command.keep else None
    return f"filtered by {said}", lambda source: edits.filtered(
        source, task=command.task, min_length=command.min_length, max_length=command.max_length, among=among
    )
