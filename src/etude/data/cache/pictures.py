"""One camera's pictures at one size, out of the cache where they are there, else decoded and stored."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from etude.data.cache.buffers import Buffers
from etude.data.cache.entry import Content, Entry
from etude.data.cache.store import FrameCache
from etude.data.dataset import Dataset

_DESCRIBED = 4096
"""Episodes whose description is kept at hand."""
_PORTION_BYTES = 32 << 20
"""Pictures asked of the decoder at a time; it may give twice as many, with those decoded on the way."""


class CachedPictures:
    """Pictures of `key` at `size` (height, width), or as they are; without a cache, all are decoded every time."""

    def __init__(self, dataset: Dataset, key: str, size: tuple[int, int] | None, cache: FrameCache | None) -> None:
        self._dataset, self._key, self._cache = dataset, key, cache
        height, width, channels = dataset.specs[key].shape
        self._size = size or (height, width)
        self.shape, self.dtype = (*self._size, channels), np.dtype(dataset.specs[key].dtype)
        self.num_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        """Of one picture."""
        self._episodes = dataset.episodes
        # A fingerprint costs a little reading; most episodes of a large dataset are never asked for.
        self._identities = np.zeros(len(self._episodes), "S32")
        self.content = lru_cache(_DESCRIBED)(self._described)
        """Describes the pictures of the episode at a position."""
        self._buffers = Buffers()

    def _described(self, number: int) -> Content:
        length, known = int(self._episodes.length[number]), self._identities[number].decode()
        if known:
            return Content(known, length, self.shape, self.dtype.name)
        content = Content.of(self._dataset.fingerprint(self._key, number), length, self.shape, self.dtype.name)
        self._identities[number] = content.identity.encode()
        return content

    def entry(self, number: int) -> Entry | None:
        """Give the cache's entry of the episode at a position; none where there is none."""
        return self._cache.find(self.content(number)) if self._cache else None

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Give the pictures at `rows` (row,), in any order: (row, height, width, channels)."""
        pictures = self._buffers.empty((len(rows), *self.shape), self.dtype)
        if self._cache is None:
            self._decode(rows, np.arange(len(rows)), pictures)
            return pictures
        kept, others = self._copy(rows, pictures)
        self._decode_and_keep(rows, np.array(kept, np.int64), pictures)
        self._decode(rows, np.array(others, np.int64), pictures)
        return pictures

    def _copy(self, rows: np.ndarray, pictures: np.ndarray) -> tuple[list[int], list[int]]:
        """Copy what is in the cache; tell the places of what is not, and of what is not and has no room there."""
        assert self._cache is not None
        numbers = self._episodes.of(rows)
        ticks, entries = rows - self._episodes.start[numbers], dict[int, Entry | None]()
        kept, others = list[int](), list[int]()
        # One by one: a gather of many would be copied a second time, to places that are apart.
        for place, (number, tick) in enumerate(zip(numbers.tolist(), ticks.tolist(), strict=True)):
            if number not in entries:
                entries[number] = self._cache.claim(self.content(number))
            entry = entries[number]
            if entry and entry.has_one(tick):
                pictures[place] = entry.pictures[tick]
            else:
                (others if entry is None or self._cache.is_behind else kept).append(place)
        return kept, others

    def fill(self, rows: np.ndarray) -> int:
        """Store the pictures at ascending `rows` that are not in the cache; tell how many have no room there."""
        assert self._cache is not None
        missing, num_left_out = [np.empty(0, np.int64)], 0
        for number, places in self._by_episode(rows):
            entry = self._cache.claim(self.content(number))
            if entry is None:
                num_left_out += len(places)
            else:
                missing.append(rows[places[~entry.has(rows[places] - self._episodes.start[number])]])
        for part in self._portions(np.concatenate(missing)):
            self._keep(*self._dataset.decode(self._key, part, self._size), wait=True)
        return num_left_out

    def _by_episode(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield episodes by position, and where in `rows` their rows are."""
        episode = self._episodes.of(rows)
        order = np.argsort(episode, kind="stable")
        numbers, starts = np.unique(episode[order], return_index=True)
        # Of no rows at all there is one part, which is empty, and no number.
        return zip(numbers.tolist(), np.split(order, starts[1:]), strict=False)

    def _decode(self, rows: np.ndarray, places: np.ndarray, pictures: np.ndarray) -> None:
        for part in self._portions(places):
            pictures[part] = self._dataset.images(self._key, rows[part], self._size)

    def _decode_and_keep(self, rows: np.ndarray, places: np.ndarray, pictures: np.ndarray) -> None:
        # In the order of the files, so that no file is sought through twice.
        for part in self._portions(places[np.argsort(rows[places], kind="stable")]):
            given, decoded = self._dataset.decode(self._key, rows[part], self._size)
            for place, index in zip(part.tolist(), np.searchsorted(given, rows[part]).tolist(), strict=True):
                pictures[place] = decoded[index]
            self._keep(given, decoded, wait=False)

    def _portions(self, places: np.ndarray) -> Iterator[np.ndarray]:
        most = max(1, _PORTION_BYTES // self.num_bytes)
        return (places[first : first + most] for first in range(0, len(places), most))

    def _keep(self, rows: np.ndarray, pictures: np.ndarray, *, wait: bool) -> None:
        assert self._cache is not None
        for number, places in self._by_episode(rows):
            entry = self._cache.claim(self.content(number))
            if entry is not None:
                part = pictures[places[0] : places[-1] + 1]  # ascending rows: an episode's are together
                self._cache.store(entry, rows[places] - self._episodes.start[number], part, wait=wait)
