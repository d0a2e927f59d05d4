"""The tasks of a new version: those that its rows use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from etude.core.errors import DatasetError
from etude.data.edit.plan import Kept, Plan
from etude.data.edit.source import Source
from etude.data.lerobot import tables


@dataclass(frozen=True)
class Tasks:
    """Task texts by their new numbers, and which texts each new episode has."""

    texts: list[str]
    of_episode: list[list[str]]

    def numbers(self, plan: Plan, kept: Kept) -> np.ndarray:
        """Give the new number of each task of the source that an episode comes from; -1 for those it does not have."""
        new = {text: number for number, text in enumerate(self.texts)}
        texts = (kept.tasks.get(text, text) for text in plan.sources[kept.source].tasks)
        return np.array([new.get(text, -1) for text in texts], np.int64)


def tasks_of(plan: Plan) -> Tasks:
    """Find the tasks that the kept rows use; they keep their order."""
    of_episode = [_texts(plan.sources[kept.source], kept) for kept in plan.kept]
    used = {text for texts in of_episode for text in texts}
    known = [text for source in plan.sources for text in source.tasks]
    added = [text for texts in of_episode for text in texts]
    return Tasks([text for text in dict.fromkeys([*known, *added]) if text in used], of_episode)


def _texts(source: Source, kept: Kept) -> list[str]:
    stored: list[str] = source.rows["tasks"][kept.episode].as_py()
    is_cut = (kept.start, kept.stop) != (0, int(source.length[kept.episode]))
    if len(stored) != 1 and is_cut:
        stored = _shown(source, kept)
    return list(dict.fromkeys(kept.tasks.get(text, text) for text in stored))


def _shown(source: Source, kept: Kept) -> list[str]:
    """List the tasks of the kept part of an episode that has several."""
    first = int(source.data.start[kept.episode])
    path = source.data_path(source.data.place(kept.episode))
    numbers = tables.read(path, ["task_index"])["task_index"].to_numpy()[first + kept.start : first + kept.stop]
    return texts_of(source, numbers)


def texts_of(source: Source, numbers: np.ndarray) -> list[str]:
    """Give the texts of task numbers, each once, in order of first use."""
    known: Mapping[int, str] = dict(enumerate(source.tasks))
    found = list(dict.fromkeys(numbers.tolist()))
    if any(number not in known for number in found):
        raise DatasetError(source.root, f"uses task numbers {found}, but has {len(known)} tasks. See: dataset check.")
    return [known[number] for number in found]
