"""Several datasets as one: rows and episodes numbered through, keys renamed, vectors padded, tasks joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from etude.core.errors import NotFound
from etude.core.spec import Spec
from etude.core.stats import Stats
from etude.data.dataset import Dataset, Problem
from etude.data.episodes import Episode, Episodes, bounds
from etude.data.mix_parts import Part, is_camera, joined, mask_spec, same_fps, shared_keys, width
from etude.data.mixed_stats import mixed_stats

IS_REAL = "mix.is_real."
"""Before a key: the column that tells which elements of it a row really has."""
_OWN = ("index", "episode_index", "task_index")
_PASSED_ON = ("timestamp", "frame_index")


class Mix(Dataset):
    """The datasets of a mix, one after the other."""

    format = "mix"

    def __init__(
        self,
        root: Path,
        parts: Sequence[Part],
        *,
        fill: Sequence[str] = (),
        leave_out: Sequence[str] = (),
        fps: int | None = None,
    ) -> None:
        self.root, self.parts = root, list(parts)
        self.fps = fps or same_fps(self.parts)
        robots = {part.dataset.robot_type for part in self.parts}
        self.robot_type = robots.pop() if len(robots) == 1 else None
        shared = shared_keys(self.parts, fill, leave_out)
        self._values = {key: joined(key, [part.spec(key) for part in self.parts]) for key in shared}
        self._masked = [key for key in shared if len({width(part, key) for part in self.parts}) > 1]
        masks = {IS_REAL + key: mask_spec(self._values[key]) for key in self._masked}
        self.specs = self._values | masks
        self._lay_out()

    def _lay_out(self) -> None:
        """Number episodes and rows through; note whose they are and where they lie there."""
        lengths = [part.episodes.length for part in self.parts]
        self._part = np.repeat(np.arange(len(self.parts)), [len(each) for each in lengths])
        self._own_start = np.concatenate([part.episodes.start for part in self.parts])
        self._own_first = np.cumsum([0, *(len(each) for each in lengths)])
        self.episodes = Episodes.in_a_row(np.concatenate(lengths).tolist(), self._tasks_of)

    def _tasks_of(self, number: int) -> Sequence[str]:
        part = int(self._part[number])
        return self.parts[part].episodes[number - int(self._own_first[part])].tasks

    @cached_property
    def tasks(self) -> Sequence[str]:
        """Task texts by `task_index`; the same text in two datasets is one task."""
        return list(dict.fromkeys(chain.from_iterable(part.dataset.tasks for part in self.parts)))

    @cached_property
    def _task_numbers(self) -> list[np.ndarray]:
        numbers = {text: number for number, text in enumerate(self.tasks)}
        return [np.array([numbers[text] for text in part.dataset.tasks], np.int64) for part in self.parts]

    @cached_property
    def stats(self) -> Mapping[str, Stats]:
        """Statistics per key, over the datasets that have it."""
        parts = [{key: part.dataset.stats.get(part.keys.get(key, "")) for key in self._values} for part in self.parts]
        frames = [part.episodes.num_frames for part in self.parts]
        merged = mixed_stats(self._values, parts)
        return merged | {IS_REAL + key: self._mask_stats(key, frames) for key in self._masked}

    def _mask_stats(self, key: str, frames: Sequence[int]) -> Stats:
        masks = np.stack([self._mask(part, key) for part in range(len(self.parts))]).astype(np.float64)
        share = np.average(masks, axis=0, weights=np.maximum(frames, 1e-9))
        spread = np.sqrt(share * (1 - share))
        return Stats(mean=share, std=spread, min=masks.min(0), max=masks.max(0), count=sum(frames))

    @property
    def codecs(self) -> dict[str, str]:
        """How each camera's pictures are compressed in the first dataset that has it."""
        cameras = [key for key, spec in self._values.items() if is_camera(spec)]
        first = {key: next(part for part in self.parts if part.spec(key)) for key in cameras}
        return {key: part.dataset.codecs[part.keys[key]] for key, part in first.items()}

    @property
    def notes(self) -> Sequence[str]:
        """What the datasets had to assume, and where vectors of one length have different names."""
        own = [note for part in self.parts for note in part.dataset.notes]
        for key, spec in self._values.items():
            for part in self.parts:
                there = part.spec(key)
                if there and not is_camera(spec) and there.names != spec.names[: len(there.names)]:
                    own.append(f"The elements of '{key}' have other names in {part.dataset.root} than in the mix.")
        return own

    def column(self, key: str) -> np.ndarray:
        """Give one table column over all frames, put together anew; `take` needs less."""
        values = self.take(key, np.arange(self.episodes.num_frames))
        values.flags.writeable = False
        return values

    def take(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Give one table column at `rows`, of any shape; vectors padded with zeros."""
        rows = np.asarray(rows, np.int64)
        spec = self._column_spec(key)
        values = np.zeros((rows.size, *spec.shape), spec.dtype)
        for part, here, own in self._by_part(rows.reshape(-1)):
            values[here] = self._taken(part, key, rows.reshape(-1)[here], own, spec)
        return values.reshape(*rows.shape, *spec.shape)

    def _column_spec(self, key: str) -> Spec:
        if key in _OWN or key in _PASSED_ON:
            return Spec(shape=(), dtype="float32" if key == "timestamp" else "int64")
        if key not in self.specs or is_camera(self.specs[key]):
            raise NotFound("table column", key, [*self.specs, *_OWN, *_PASSED_ON])
        return self.specs[key]

    def _taken(self, part: int, key: str, rows: np.ndarray, own: np.ndarray, spec: Spec) -> np.ndarray:
        dataset = self.parts[part].dataset
        if key == "index":
            return rows
        if key == "episode_index":
            return self.episodes.of(rows)
        if key == "task_index":
            return self._task_numbers[part][dataset.take(key, own)]
        if key in _PASSED_ON:
            return dataset.take(key, own)
        if key.startswith(IS_REAL):
            return np.broadcast_to(self._mask(part, key.removeprefix(IS_REAL)), (len(rows), *spec.shape))
        return self._padded(part, key, own, spec)

    def _padded(self, part: int, key: str, own: np.ndarray, spec: Spec) -> np.ndarray:
        if self.parts[part].spec(key) is None:
            return np.zeros((len(own), *spec.shape), spec.dtype)
        values = self.parts[part].dataset.take(self.parts[part].keys[key], own)
        missing = [(0, 0)] + [(0, wide - narrow) for wide, narrow in zip(spec.shape, values.shape[1:], strict=True)]
        return np.pad(values, missing)

    def _mask(self, part: int, key: str) -> np.ndarray:
        real = width(self.parts[part], key)
        return np.arange(mask_spec(self._values[key]).shape[0]) < real

    def _by_part(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield each dataset that some of `rows` lie in, which of them do, and their numbers there."""
        episode = self.episodes.of(rows)
        own = rows - self.episodes.start[episode] + self._own_start[episode]
        whose = self._part[episode]
        for part in np.unique(whose).tolist():
            here = np.flatnonzero(whose == part)
            yield part, here, own[here]

    def images(self, key: str, rows: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Decode pictures of `key` at `rows`; black where a dataset has no such camera."""
        rows, (height, width) = np.asarray(rows, np.int64), size or self._size(key)
        pictures = self._black(key, len(rows), (height, width))
        for part, here, own in self._by_part(rows):
            if self._camera(part, key):
                pictures[here] = self.parts[part].dataset.images(self.parts[part].keys[key], own, (height, width))
        return pictures

    def decode(self, key: str, rows: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Decode pictures of `key` at `rows`, and give those too that had to be decoded on the way."""
        wanted, parts = np.unique(np.asarray(rows, np.int64)), []
        for part, here, own in self._by_part(wanted):
            if self._camera(part, key):
                decoded, pictures = self.parts[part].dataset.decode(self.parts[part].keys[key], own, size)
                here_again, is_used = self._in_mix(part, decoded)
                parts.append((here_again[is_used], pictures[is_used]))
            else:
                parts.append((wanted[here], self._black(key, len(here), size)))
        none = (np.empty(0, np.int64), self._black(key, 0, size))
        numbers, pictures = (np.concatenate(each) for each in zip(none, *parts, strict=True))
        order = np.argsort(numbers)
        return numbers[order], pictures[order]

    def _in_mix(self, part: int, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the rows of the mix that a dataset's own rows are, and which of those are in the mix at all."""
        episodes = self.parts[part].episodes
        number = np.maximum(episodes.of(own), 0)
        is_used = (own >= episodes.start[number]) & (own < episodes.stop[number])
        return own - episodes.start[number] + self.episodes.start[self._own_first[part] + number], is_used

    def fingerprint(self, key: str, number: int) -> str:
        """Identify what is in the pictures of `key` in the episode at position `number`."""
        part = int(self._part[number])
        if not self._camera(part, key):
            return "black"
        dataset = self.parts[part].dataset
        return dataset.fingerprint(self.parts[part].keys[key], int(dataset.episodes.of(self._own_start[number])))

    def _black(self, key: str, count: int, size: tuple[int, int]) -> np.ndarray:
        spec = self._values[key]
        return np.zeros((count, *size, 3 if spec.is_image else 1), spec.dtype)

    def _size(self, key: str) -> tuple[int, int]:
        self._camera(0, key)
        return self.specs[key].shape[0], self.specs[key].shape[1]

    def _camera(self, part: int, key: str) -> bool:
        if key not in self._values or not is_camera(self._values[key]):
            raise NotFound("camera", key, self.codecs)
        return self.parts[part].spec(key) is not None

    @property
    def text_keys(self) -> Sequence[str]:
        """Columns of text that every dataset has."""
        first, *others = ([name for name, own in p.keys.items() if own in p.dataset.text_keys] for p in self.parts)
        return [key for key in first if all(key in other for other in others)]

    def text(self, key: str, rows: np.ndarray) -> list[Any]:
        """Give a text column at `rows`, or their tasks."""
        if key not in self.text_keys and key != "task":
            raise NotFound("text column", key, [*self.text_keys, "task"])
        rows = np.asarray(rows, np.int64)
        if key not in self.text_keys:
            return [self.tasks[number] for number in self.take("task_index", rows).tolist()]
        texts: list[Any] = [None] * len(rows)
        for part, here, own in self._by_part(rows):
            for place, text in zip(here, self.parts[part].dataset.text(self.parts[part].keys[key], own), strict=True):
                texts[place] = text
        return texts

    def check_files(self) -> Iterator[Problem]:
        """Check the files of every dataset."""
        for part in self.parts:
            for problem in part.dataset.check_files():
                yield replace(problem, where=f"{part.dataset.root}, {problem.where}")

    def file_groups(self) -> np.ndarray:
        """Number the files that each episode lies in, those of every dataset by themselves."""
        groups, taken = [np.empty(0, np.int64)], 0
        for part in self.parts:
            own = part.dataset.file_groups()
            groups.append(taken + own[part.dataset.episodes.of(part.episodes.start)])
            taken += int(own.max(initial=-1)) + 1
        return np.concatenate(groups)

    def part_of(self, episodes: Sequence[Episode]) -> np.ndarray:
        """Tell which dataset each of `episodes` of the mix comes from."""
        return self._part[self.episodes.of(bounds(episodes)[0])]
