"""Whether a dataset holds what its format promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Dataset, Problem
from etude.data.opening import open_dataset

_TOLERANCE_S = 1e-4
"""How far a timestamp may be from its frame's time before LeRobot refuses it [s]."""
_AGAIN = "The table was edited or damaged: copy the dataset again."


def check(root: Path | str) -> list[Problem]:
    """List everything that does not hold; raise `UserError` when `root` is no dataset at all."""
    try:
        dataset = open_dataset(root)
    except DatasetError as error:
        return [_problem(error)]
    parts = (lambda each: each.check_files(), _episodes, _columns, _stats, _pictures)
    found = [problem for part in parts for problem in _gathered(part, dataset)]
    return list(dict.fromkeys(found))


def _gathered(part: Callable[[Dataset], Iterator[Problem]], dataset: Dataset) -> Iterator[Problem]:
    try:
        yield from part(dataset)
    except DatasetError as error:
        yield _problem(error)


def _problem(error: DatasetError) -> Problem:
    what, _, remedy = error.problem.partition(". ")
    return Problem(what=what.rstrip("."), where=str(error.path), remedy=remedy)


def _episodes(dataset: Dataset) -> Iterator[Problem]:
    row = 0
    for number, episode in enumerate(dataset.episodes):
        where = f"episode {number}"
        if episode.index != number:
            yield Problem(
                what=f"is numbered {episode.index}", where=where, remedy="Number the episodes from 0, no gaps."
            )
        if episode.start != row:
            yield Problem(what=f"starts at row {episode.start}, not {row}", where=where, remedy=_AGAIN)
        if not len(episode):
            yield Problem(what="has no frame", where=where, remedy="Leave out the episode.")
        row = episode.stop


def _columns(dataset: Dataset) -> Iterator[Problem]:
    """Compare each row's own numbers with where the row is."""
    for episode in dataset.episodes:
        rows, tick = slice(episode.start, episode.stop), np.arange(len(episode))
        wanted = {"index": episode.start + tick, "episode_index": episode.index, "frame_index": tick}
        for key, values in wanted.items():
            yield from _wrong(key, episode.index, dataset.column(key)[rows] != values)
        late = np.abs(dataset.column("timestamp")[rows] - tick / dataset.fps) > _TOLERANCE_S
        yield from _wrong("timestamp", episode.index, late)
        task = dataset.column("task_index")[rows]
        yield from _wrong("task_index", episode.index, (task < 0) | (task >= len(dataset.tasks)))


def _wrong(key: str, episode: int, is_wrong: np.ndarray) -> Iterator[Problem]:
    if is_wrong.any():
        frame = int(is_wrong.argmax())
        what = f"'{key}' is wrong in {int(is_wrong.sum())} of {len(is_wrong)} rows, first at frame {frame}"
        yield Problem(what=what, where=f"episode {episode}", remedy=_AGAIN)


def _stats(dataset: Dataset) -> Iterator[Problem]:
    remedy = "Training normalises with it: compute the statistics again."
    for key, spec in dataset.specs.items() if dataset.episodes else ():
        if key not in dataset.stats:
            yield Problem(what=f"'{key}' has no statistics", where=str(dataset.root), remedy=remedy)
            continue
        wanted = (spec.shape[2], 1, 1) if spec.is_image or spec.is_depth else spec.shape
        found = dataset.stats[key].mean.shape
        if found != wanted:
            what = f"the statistics of '{key}' are shaped {list(found)}, not {list(wanted)}"
            yield Problem(what=what, where=str(dataset.root), remedy=remedy)


def _pictures(dataset: Dataset) -> Iterator[Problem]:
    """Decode the first and the last picture of every episode."""
    for key in dataset.codecs:
        for episode in dataset.episodes:
            try:
                dataset.images(key, np.array([episode.start, episode.stop - 1]))
            except DatasetError as error:
                yield _problem(error)
