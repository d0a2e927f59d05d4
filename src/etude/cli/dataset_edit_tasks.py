"""`etude dataset edit-tasks`: say anew what episodes are about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, episodes_in, pairs_in, run_edit
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DatasetEditTasks:
    """Give a task another text everywhere (--task OLD=NEW), or some episodes a task (--episodes 3 --task TEXT)."""

    root: Positional[Path]
    """The dataset's folder."""
    task: str = ""
    """OLD=NEW, or with --episodes the new text."""
    episodes: str = ""
    """Numbers of the episodes that get the task, such as 3,5-7."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetEditTasks


def run(command: DatasetEditTasks) -> int:
    """Edit tasks, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetEditTasks) -> Edit:
    from etude.data.edit import edits

    if not command.task.strip():
        raise UserError("Say the task: --task='OLD=NEW', or --episodes 3 --task='NEW'.")
    if command.episodes:
        episodes = episodes_in(command.episodes)
        return f"gave episodes {command.episodes} the task '{command.task}'", lambda source: edits.with_task(
            source, episodes, command.task
        )
    renames = pairs_in([command.task], "--task='OLD=NEW'")
    return f"changed the task {command.task}", lambda source: edits.retasked(source, renames)
