"""Whether a dataset holds what its format promises, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from etude.core.errors import DatasetError
from etude.data.check_pictures import picture_problems
from etude.data.check_rows import RowCheck
from etude.data.check_stats import stats_notes, stats_problems
from etude.data.dataset import Dataset, Problem
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.lerobot.files_check import stray_notes
from etude.data.lerobot.salvage import is_damaged
from etude.data.notes import draft_notes, motion_notes, timing_notes
from etude.data.opening import open_dataset
from etude.data.quality import quality_notes
from etude.data.remedy import Remedy

Tell = Callable[[str, int, int], None]
"""Is told what is being checked, and how much of how much is done."""


@dataclass(frozen=True)
class Report:
    """What was found."""

    problems: list[Problem] = field(default_factory=list[Problem])
    notes: list[str] = field(default_factory=list[str])
    """What a user may want to know and is no fault of the files, a sentence each."""


def check(root: Path | str) -> list[Problem]:
    """List everything that does not hold; raise `UserError` when `root` is no dataset at all."""
    return inspect(root).problems


def inspect(root: Path | str, *, deep: bool = False, tell: Tell = lambda *_: None) -> Report:
    """Look at everything that a dataset promises.

    Of each episode the first and the last picture are decoded, and all of them with `deep`.
    Raises `UserError` when `root` is no dataset at all.
    """
    try:
        dataset = open_dataset(root)
    except DatasetError as error:
        return Report([_unopened(Path(root), error)])
    remedy = Remedy(dataset.root, dataset.format, len(dataset.episodes))
    rows = RowCheck(dataset, remedy)
    parts: list[Callable[[], Iterator[Problem]]] = [
        dataset.check_files,
        lambda: _episodes(dataset, remedy),
        lambda: rows.problems(lambda *done: tell("rows", *done)),
    ]
    notes = [*dataset.notes]
    if isinstance(dataset, LeRobotDataset):
        parts.append(lambda: stats_problems(dataset, rows, remedy))
        notes += _told(lambda: stats_notes(dataset, remedy))
        notes += _told(lambda: stray_notes(dataset.root, dataset.contents))
    parts.append(lambda: picture_problems(dataset, remedy, deep, lambda *done: tell("pictures", *done), notes.append))
    found: list[Problem] = []
    for part in parts:
        # A file that one part finds damaged is not named again by the next that stumbles over it.
        named = {dataset.root / problem.where for problem in found if not problem.where.startswith("episode")}
        found += [problem for problem in _gathered(part) if dataset.root / problem.where not in named]
    notes += _told(lambda: timing_notes(dataset))
    notes += _told(lambda: motion_notes(dataset, rows.stats))
    notes += _told(lambda: quality_notes(dataset))
    notes += _told(lambda: draft_notes(dataset))
    return Report(list(dict.fromkeys(found)), list(dict.fromkeys(notes)))


def _unopened(root: Path, error: DatasetError) -> Problem:
    problem = problem_of(error)
    try:
        is_recoverable = is_damaged(root)
    except (DatasetError, OSError):
        is_recoverable = False
    if is_recoverable and "recover" not in problem.remedy:
        return Problem(what=problem.what, where=problem.where, remedy=Remedy(root, "lerobot_v3", 0).recover())
    return problem


def problem_of(error: DatasetError) -> Problem:
    """Turn what could not be read into a problem."""
    what, _, remedy = error.problem.partition(". ")
    return Problem(what=what.rstrip("."), where=str(error.path), remedy=remedy)


def _gathered(part: Callable[[], Iterator[Problem]]) -> list[Problem]:
    """List problems up to the first file that cannot be read, which is one too."""
    found: list[Problem] = []
    try:
        found.extend(part())
    except DatasetError as error:
        found.append(problem_of(error))
    return found


def _told(part: Callable[[], Iterator[str]]) -> list[str]:
    """List notes; where a file cannot be read, that is a problem that is named elsewhere."""
    try:
        return list(part())
    except DatasetError:
        return []


def _episodes(dataset: Dataset, remedy: Remedy) -> Iterator[Problem]:
    row = 0
    for number, episode in enumerate(dataset.episodes):
        where = f"episode {number}"
        if episode.index != number:
            what = f"is numbered {episode.index}"
            yield Problem(what=what, where=where, remedy="Copy the dataset again: numbers go from 0 without a gap.")
        if episode.start != row:
            what = f"starts at row {episode.start}, not {row}"
            yield Problem(what=what, where=where, remedy=remedy.leave_out([number]))
        if not len(episode):
            yield Problem(what="has no frame", where=where, remedy=remedy.leave_out([number]))
        row = episode.stop
