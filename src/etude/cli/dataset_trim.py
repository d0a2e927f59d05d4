"""`etude dataset trim`: leave out frames at the ends of episodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, run_edit
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DatasetTrim:
    """Cut the ends off one episode, or with --idle off all. Only the pictures around a cut are encoded again."""

    root: Positional[Path]
    """The dataset's folder."""
    episode: int = -1
    """The episode to trim."""
    start: int = 0
    """The first frame to keep."""
    stop: int = 0
    """The frame after the last to keep; 0: the end of the episode."""
    idle: bool = False
    """Cut off what comes before anything moves, and after, in every episode."""
    idle_speed: float = 0.05
    """An action element moves when it changes by more than this part of its range in a second."""
    idle_margin_s: float = 0.2
    """How long before and after the motion to keep [s]."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetTrim


def run(command: DatasetTrim) -> int:
    """Trim, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetTrim) -> Edit:
    if command.idle == (command.episode >= 0):
        raise UserError("Say either which episode to trim, as --episode 3 --start 5 --stop 120, or --idle for all.")
    return _idle(command) if command.idle else _one(command)


def _one(command: DatasetTrim) -> Edit:
    from etude.data.edit import edits

    def plan_of(source: edits.Source) -> edits.Plan:
        edits.require_episodes(source, [command.episode])
        stop = command.stop or int(source.length[command.episode])
        return edits.trimmed(source, {command.episode: (command.start, stop)})

    span = f"{command.start} to {command.stop or 'the end'}"
    return f"trimmed episode {command.episode} to frames {span}", plan_of


def _idle(command: DatasetTrim) -> Edit:
    from etude.data.edit import edits
    from etude.data.edit.idle import moving_spans

    if command.start or command.stop:
        raise UserError("--idle finds the bounds of each episode: leave out --start and --stop.")
    return "trimmed idle frames", lambda source: edits.trimmed(
        source, moving_spans(source, command.idle_speed, command.idle_margin_s)
    )
