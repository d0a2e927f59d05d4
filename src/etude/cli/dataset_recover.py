"""`etude dataset recover`: what a crash left, kept or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.console import say
from etude.core.errors import DatasetError, UserError

if TYPE_CHECKING:
    from etude.data.draft import Draft

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class DatasetRecover:
    """Show episodes whose recording broke off, keep or drop them, and mend a dataset that LeRobot left unfinished."""

    root: Positional[Path]
    """The dataset's folder."""
    keep: str = ""
    """Draft to add to the dataset as an episode, by name, or `all`."""
    drop: str = ""
    """Draft to delete, by name, or `all`."""
    task: str = ""
    """Task of the drafts that are kept. Default: that of the dataset's last episode."""

    def __post_init__(self) -> None:
        if self.keep and self.drop:
            raise UserError("Give --keep or --drop, not both at once.")


COMMAND = DatasetRecover


def run(command: DatasetRecover) -> int:
    """Mend the dataset where it is damaged; then keep or drop drafts, or list them."""
    from etude.data.versions import locked, resting_place

    if not resting_place(command.root).is_dir():
        raise UserError(f"{command.root} is not a dataset: there is no such folder.")
    _mend(command.root)
    with locked(command.root):  # what is being recorded right now is no draft yet
        chosen = _chosen(command.root, command.keep or command.drop)
        if command.drop:
            for draft in chosen:
                draft.drop()
                say(f"Dropped draft {draft.name}.")
            return 0
        if not command.keep:
            return _list(command.root, chosen)
        for draft in chosen:
            draft.check()
    return _keep(command, chosen)


def _mend(root: Path) -> None:
    from etude.data.lerobot.salvage import is_damaged, salvage

    if is_damaged(root):
        print(salvage(root))


def _list(root: Path, found: list[Draft]) -> int:
    for draft in found:
        print(f"{draft.name}: {_described(draft)}")
    if found:
        print(f"Keep one with `etude dataset recover {root} --keep NAME`, or delete it with `--drop NAME`.")
    else:
        print(f"No recording broke off: there is no draft beside {root}.")
    return 0


def _described(draft: Draft) -> str:
    try:
        length, fps, started = draft.num_frames, draft.fps, draft.started
    except DatasetError as error:
        return str(error)
    return f"{length} frames ({length / fps:.1f} s), begun {started}"


def _keep(command: DatasetRecover, kept: list[Draft]) -> int:
    from etude.data import create_dataset, open_dataset

    dataset = open_dataset(command.root)
    task = command.task or (dataset.episodes[-1].tasks[0] if dataset.episodes else "")
    if not task:
        raise UserError('Nothing tells what was being shown. Say it: --task="Put the block into the bin".')
    writer = create_dataset(command.root, dataset.specs, fps=dataset.fps, robot_type=dataset.robot_type, resume=True)
    try:
        for draft in kept:
            length = draft.num_frames
            writer.keep_draft(draft, task)
            say(f"Kept draft {draft.name}: {length} frames are episode {writer.num_episodes - 1}, task: {task}")
    finally:
        writer.close()
    return 0


def _chosen(root: Path, name: str) -> list[Draft]:
    from etude.data.draft import draft_called, drafts

    return drafts(root) if name in ("", ALL) else [draft_called(root, name)]
