"""`etude dataset delete`: leave out episodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, episodes_in, run_edit


@dataclass(frozen=True, kw_only=True)
class DatasetDelete:
    """Delete episodes. Those after them are numbered anew; what is not cut is not encoded again."""

    root: Positional[Path]
    """The dataset's folder."""
    episodes: str = ""
    """Their numbers, such as 3,5-7."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetDelete


def run(command: DatasetDelete) -> int:
    """Delete, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetDelete) -> Edit:
    from etude.data.edit import edits

    episodes = episodes_in(command.episodes)
    return f"deleted episodes {command.episodes}", lambda source: edits.delete(source, episodes)
