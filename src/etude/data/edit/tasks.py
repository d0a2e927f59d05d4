"""The tasks of a new version: those that its rows use."""

from __future__ import annotations

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

    def keep_numbers(self, plan: Plan, kept: Kept) -> bool:
        """Whether the tasks of an episode have the numbers that they had in its source."""
        source, new = plan.sources[kept.source], self.numbers(plan, kept)
        known = {text: number for number, text in enumerate(source.tasks)}
        return all(text in known and new[known[text]] == known[text] for text in source.texts[kept.episode])


def tasks_of(plan: Plan) -> Tasks:
    """Find the tasks that the kept rows use; they keep their order."""
    of_episode = [_texts(plan.sources[kept.source], kept) for kept in plan.kept]
    used = {text for texts in of_episode for text in texts}
    becomes: dict[str, dict[str, None]] = {}
    for old, new in dict.fromkeys(pair for kept in plan.kept for pair in kept.tasks.items()):
        becomes.setdefault(old, {})[new] = None
    known = (text for source in plan.sources for old in source.tasks for text in (old, *becomes.get(old, ())))
    return Tasks([text for text in dict.fromkeys(known) if text in used], of_episode)


def task_column(plan: Plan, tasks: Tasks, kept: Kept) -> np.ndarray:
    """Give the new task number of each row of an episode; where all rows have one task they need not be read."""
    source, new = plan.sources[kept.source], tasks.numbers(plan, kept)
    stored = source.texts[kept.episode]
    if len(stored) == 1 and stored[0] in source.tasks:
        return np.full(len(kept), new[source.tasks.index(stored[0])])
    return new[_numbers(source, kept)]


def _texts(source: Source, kept: Kept) -> list[str]:
    stored = source.texts[kept.episode]
    is_cut = (kept.start, kept.stop) != (0, int(source.length[kept.episode]))
    if len(stored) != 1 and is_cut:
        stored = _used(source, _numbers(source, kept))
    return list(dict.fromkeys(kept.tasks.get(text, text) for text in stored))


def _numbers(source: Source, kept: Kept) -> np.ndarray:
    """Read the task number of each row."""
    first = int(source.data.start[kept.episode]) + kept.start
    path = source.data_path(source.data.place(kept.episode))
    return tables.read(path, ["task_index"])["task_index"].to_numpy()[first : first + len(kept)]


def _used(source: Source, numbers: np.ndarray) -> list[str]:
    """Give the texts of task numbers, each once, in order of first use."""
    known = dict(enumerate(source.tasks))
    found = list(dict.fromkeys(numbers.tolist()))
    if any(number not in known for number in found):
        what = f"uses task numbers {found}, but has {len(known)} tasks. See: etude dataset check."
        raise DatasetError(source.root, what)
    return [known[number] for number in found]
