"""Saving what LeRobot recorded when it was killed before it finished its files.

Every episode that has its rows and its pictures is kept; the damaged dataset stays beside the new one, as the version
that undo goes back to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from etude.core.errors import DatasetError, UserError
from etude.data.formats.lerobot_v3.metadata import TASKS_FILE
from etude.data.formats.lerobot_v3.reader import episodes_files
from etude.data.lerobot import header as headers
from etude.data.lerobot.parquet_pages import has_footer
from etude.data.lerobot.rebuild import Kept, rebuild
from etude.data.lerobot.remains import Remains, frame_files, survey
from etude.data.versions import locked, new_version

Progress = Callable[[int, int], None]
"""Told how many episodes of how many are done."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was saved and what was not, in sentences."""

    num_episodes: int
    num_frames: int
    damage: tuple[str, ...]
    """What was found wrong, and how it was mended."""
    lost: tuple[str, ...]
    """What could not be saved, and why."""

    def __str__(self) -> str:
        saved = f"Recovered {self.num_episodes} episodes with {self.num_frames} frames."
        return "\n".join([saved, *self.damage, *self.lost])


def is_damaged(root: Path) -> bool:
    """Whether LeRobot left the dataset in `root` unfinished; reads no more than the ends of its tables."""
    if not (headers.version_of(root) or "").startswith("v3."):
        return False
    header, episodes, frames = headers.read(root), episodes_files(root), frame_files(root)
    tasks = [root / TASKS_FILE] if header.total_tasks else []
    if not all(path.exists() and has_footer(path) for path in (*tasks, *episodes, *frames)):
        return True
    return _num_rows(episodes) < header.total_episodes or _num_rows(frames) < header.total_frames


def salvage(root: Path, progress: Progress = lambda *_: None) -> Report:
    """Put in the place of an unfinished dataset what is whole of it, and say what that is.

    Raises `UserError` when `root` is no such dataset, `DatasetError` when nothing of it is whole; then it is untouched.
    """
    root = root.resolve()
    with locked(root):
        if not is_damaged(root):
            raise UserError(f"{root} is no unfinished LeRobot dataset; there is nothing to recover.")
        header = headers.read(root)
        remains = survey(root, header)
        kept, lost = _sorted_out(remains)
        lost += _never_saved(remains)
        if not kept:
            raise DatasetError(root, " ".join(["holds no whole episode; nothing was changed.", *remains.notes, *lost]))
        with new_version(root, "recover what LeRobot left unfinished") as draft:
            rebuild(remains, kept, draft, progress)
    frames = sum(len(each.run) for each in kept)
    return Report(num_episodes=len(kept), num_frames=frames, damage=tuple(remains.notes), lost=tuple(lost))


def _num_rows(files: list[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in files)


def _sorted_out(remains: Remains) -> tuple[list[Kept], list[str]]:
    """Tell the episodes that are whole, numbered without gaps, from those that are not, with the reasons."""
    kept: list[Kept] = []
    lost: list[str] = []
    first = 0
    for position, run in enumerate(remains.runs):
        shots = {key: each[position] for key, each in remains.shots.items()}
        found = {key: each for key, each in shots.items() if not isinstance(each, str)}
        if len(found) < len(shots):
            reasons = "; ".join(each for each in shots.values() if isinstance(each, str))
            lost.append(f"Episode {run.number} ({len(run)} frames) was left out: {reasons}.")
            continue
        kept.append(Kept(run=run, shots=found, number=len(kept), first_index=first))
        first += len(run)
    return kept, lost


def _never_saved(remains: Remains) -> Iterator[str]:
    """Tell of the episodes of which there is no row."""
    there = {run.number for run in remains.runs}
    missing = sorted(set(range(remains.header.total_episodes)) - there)
    if missing:
        yield f"Episodes without rows in the tables, and therefore lost: {', '.join(map(str, missing))}."
    for folder in sorted((remains.root / "images").glob("*/episode-*")):
        number, count = int(folder.name.removeprefix("episode-")), len(list(folder.glob("frame-*")))
        if count and number not in there:
            yield (
                f"Episode {number} was being recorded when the program ended, and its rows were only in its memory; "
                f"{count} pictures of {folder.parent.name} are still in {folder.relative_to(remains.root)} of the "
                "version before."
            )
