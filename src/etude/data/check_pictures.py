"""Whether a dataset's pictures can be decoded: the ends of every episode, or all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from etude.core.errors import DatasetError
from etude.data.dataset import Dataset, Problem
from etude.data.remedy import Remedy
from etude.data.statistics import Tell

_AT_ONCE = 64
"""Pictures decoded together."""
_FROZEN_S = 1.0
"""From how long on a camera that gives the same picture is frozen [s]."""


def picture_problems(
    dataset: Dataset, remedy: Remedy, deep: bool, tell: Tell, note: Callable[[str], None]
) -> Iterator[Problem]:
    """Yield the episodes of which a picture cannot be decoded; `note` is told of frozen cameras, if `deep`."""
    episodes, done = dataset.episodes, 0
    per_episode = episodes.length if deep else np.minimum(episodes.length, 2)
    total = int(per_episode.sum()) * len(dataset.codecs)
    for key in dataset.codecs:
        damage: dict[str, list[int]] = {}
        for first, last in _spans(per_episode):
            numbers = range(first, last)
            is_readable = deep or _read(dataset, key, _ends(dataset, numbers)) is None
            for number in numbers if deep or not is_readable else ():
                error = _all(dataset, key, number, note) if deep else _read(dataset, key, _ends(dataset, [number]))
                if error is not None:
                    damage.setdefault(str(error), []).append(number)
            done += int(per_episode[first:last].sum())
            tell(done, total)
        for text, numbers in damage.items():
            path, _, what = text.partition(": ")
            what = what.partition(". ")[0].partition(";")[0].rstrip(".")
            yield Problem(what=what, where=path, remedy=remedy.leave_out(numbers))


def _spans(costs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Group episodes so that about as many pictures are decoded together as fit into memory."""
    first, cost = 0, 0
    for number, each in enumerate(costs.tolist()):
        cost += each
        if cost >= _AT_ONCE:
            yield first, number + 1
            first, cost = number + 1, 0
    if first < len(costs):
        yield first, len(costs)


def _ends(dataset: Dataset, numbers: range | list[int]) -> np.ndarray:
    chosen = np.asarray(list(numbers), np.int64)
    chosen = chosen[dataset.episodes.length[chosen] > 0]
    return np.unique([dataset.episodes.start[chosen], dataset.episodes.stop[chosen] - 1])


def _read(dataset: Dataset, key: str, rows: np.ndarray) -> DatasetError | None:
    try:
        if len(rows):
            dataset.images(key, rows)
    except DatasetError as error:
        return error
    return None


def _all(dataset: Dataset, key: str, number: int, note: Callable[[str], None]) -> DatasetError | None:
    """Decode an episode whole, and look for stretches in which every picture is the same."""
    start, stop = int(dataset.episodes.start[number]), int(dataset.episodes.stop[number])
    is_same, before = np.zeros(stop - start, bool), None
    try:
        for first in range(start, stop, _AT_ONCE):
            pictures = dataset.images(key, np.arange(first, min(first + _AT_ONCE, stop)))
            for tick, picture in enumerate(pictures, first - start):
                is_same[tick] = before is not None and np.array_equal(picture, before)
                before = picture
    except DatasetError as error:
        return error
    first, length = max(runs(is_same), key=lambda run: run[1], default=(0, 0))
    if length >= _FROZEN_S * dataset.fps:
        seconds = length / dataset.fps
        note(f"Episode {number}: '{key}' gives the same picture for {seconds:.1f} s, from frame {first} on.")
    return None


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """List where runs of true flags begin, and how long they are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), (edges[1::2] - edges[::2]).tolist(), strict=True))
