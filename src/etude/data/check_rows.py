"""Whether the rows of a dataset say where they are, and hold numbers: one pass over the tables, part by part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from etude.core.stats import Stats
from etude.data.dataset import Dataset, Problem
from etude.data.remedy import Remedy
from etude.data.statistics import Tell, row_chunks
from etude.data.timing import TOLERANCE_S

_MOST = 10
"""Episodes that are named one by one with the same fault."""
_NUMBERS = ("index", "episode_index", "frame_index", "timestamp", "task_index")


@dataclass
class _Fault:
    """The rows of one episode in which one column is wrong."""

    rows: int = 0
    first: int = -1


class RowCheck:
    """Looks at every row once; `stats` then holds the moments of each column."""

    def __init__(self, dataset: Dataset, remedy: Remedy) -> None:
        self._dataset, self._remedy = dataset, remedy
        self._faults: dict[str, dict[int, _Fault]] = defaultdict(lambda: defaultdict(_Fault))
        self._parts: dict[str, list[Stats]] = defaultdict(list)
        self._tasks: dict[int, set[int]] = defaultdict(set)

    @property
    def stats(self) -> dict[str, Stats]:
        """Mean, std and extremes of the columns that were read to their end and hold numbers only; no quantiles."""
        whole = self._dataset.episodes.num_frames
        sound = {key: parts for key, parts in self._parts.items() if key not in self._faults}
        merged = {key: Stats.merge(parts) for key, parts in sound.items()}
        return {key: stats for key, stats in merged.items() if stats.count == whole}

    def problems(self, tell: Tell) -> Iterator[Problem]:
        """Yield what is wrong, per column and episode."""
        total, done = self._dataset.episodes.num_frames, 0
        columns = [key for key in self._dataset.specs if key not in self._dataset.codecs]
        for rows in row_chunks(self._dataset):
            self._look_at_numbers(rows)
            for key in columns:
                self._look_at(key, rows)
            done += len(rows)
            tell(done, total)
        for key in _NUMBERS:
            yield from self._told(key, f"'{key}' is wrong")
        for key in columns:
            yield from self._told(key, f"'{key}' holds NaN or infinity")
        yield from self._texts()

    def _look_at_numbers(self, rows: np.ndarray) -> None:
        """Compare each row's own numbers with where the row is."""
        dataset, episode = self._dataset, self._dataset.episodes.of(rows)
        tick = rows - dataset.episodes.start[episode]
        wanted = {"index": rows, "episode_index": dataset.episodes.indices[episode], "frame_index": tick}
        for key, values in wanted.items():
            self._note(key, episode, tick, dataset.take(key, rows) != values)
        time = dataset.take("timestamp", rows)
        self._note("timestamp", episode, tick, ~(np.abs(time - tick / dataset.fps) <= TOLERANCE_S))
        task = dataset.take("task_index", rows)
        if len(dataset.tasks):  # where none can be read, that is said of their file
            self._note("task_index", episode, tick, (task < 0) | (task >= len(dataset.tasks)))
        changes = np.flatnonzero((np.diff(episode, prepend=-1) != 0) | (np.diff(task, prepend=-1) != 0))
        for number, index in zip(episode[changes].tolist(), task[changes].tolist(), strict=True):
            self._tasks[number].add(index)

    def _look_at(self, key: str, rows: np.ndarray) -> None:
        values = np.asarray(self._dataset.take(key, rows), np.float64)
        is_wrong = ~np.asarray(np.isfinite(values).reshape(len(rows), -1).all(1))
        episode = self._dataset.episodes.of(rows)
        self._note(key, episode, rows - self._dataset.episodes.start[episode], is_wrong)
        with np.errstate(all="ignore"):
            mean, std = values.mean(0), values.std(0)
        self._parts[key].append(Stats(mean=mean, std=std, min=values.min(0), max=values.max(0), count=len(rows)))

    def _note(self, key: str, episode: np.ndarray, tick: np.ndarray, is_wrong: np.ndarray) -> None:
        wrong = np.flatnonzero(is_wrong)
        for number, at, count in zip(*np.unique(episode[wrong], return_index=True, return_counts=True), strict=True):
            fault = self._faults[key][int(number)]
            fault.rows += int(count)
            fault.first = int(tick[wrong[at]]) if fault.first < 0 else fault.first

    def _told(self, key: str, what: str) -> Iterator[Problem]:
        faults, length = self._faults.get(key, {}), self._dataset.episodes.length
        for number in list(faults)[:_MOST]:
            fault = faults[number]
            yield Problem(
                what=f"{what} in {fault.rows} of {length[number]} rows, first at frame {fault.first}",
                where=f"episode {number}",
                remedy=self._remedy.leave_out([number]),
            )
        if len(faults) > _MOST:
            rest = list(faults)[_MOST:]
            rows = sum(faults[number].rows for number in rest)
            yield Problem(
                what=f"{what} in {rows} rows of {len(rest)} more episodes",
                where=f"episodes {rest[0]} to {rest[-1]}",
                remedy=self._remedy.leave_out(faults),
            )

    def _texts(self) -> Iterator[Problem]:
        """Compare the tasks that an episode lists with those of its rows."""
        tasks = self._dataset.tasks
        wrong = []
        for number, indices in sorted(self._tasks.items()):
            listed = set(self._dataset.episodes.tasks(number))
            if any(index < 0 or index >= len(tasks) for index in indices):
                continue
            if listed != {tasks[index] for index in indices}:
                wrong.append(number)
        for number in wrong[:_MOST]:
            rows = ", ".join(f"'{tasks[index]}'" for index in sorted(self._tasks[number]))
            listed = ", ".join(f"'{text}'" for text in self._dataset.episodes.tasks(number)) or "no task"
            yield Problem(
                what=f"lists {listed}, but its rows are of {rows}",
                where=f"episode {number}",
                remedy=self._remedy.leave_out([number]),
            )
