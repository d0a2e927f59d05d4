"""Training samples from a dataset: whole batches at once, from contiguous columns and a cache of decoded pictures."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from etude.core.errors import NotFound
from etude.core.window import Window
from etude.data.dataset import Dataset

CACHE_BYTES = 2 << 30
TASK_INDEX = "task_index"


class Windows:
    """The sample around every row of a dataset, given in batches.

    `keys` are read at the row itself, or at the offsets that `window` names for them. Pictures come at `image_size`
    (height, width); when all of them fit in `cache_bytes`, an episode is decoded once, in order, when it is first
    touched, else for every batch.
    """

    def __init__(
        self,
        dataset: Dataset,
        window: Window,
        keys: Sequence[str],
        *,
        image_size: tuple[int, int] | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._dataset, self._window = dataset, window
        unknown = next((key for key in (*keys, *window.offsets) if key not in dataset.specs), None)
        if unknown is not None:
            raise NotFound("key in the dataset", unknown, dataset.specs)
        self._episodes = dataset.episodes
        cameras = [key for key in keys if dataset.specs[key].is_image]
        self._columns = [key for key in keys if key not in cameras]
        self._pictures = _pictures(dataset, cameras, image_size, cache_bytes)

    def __len__(self) -> int:
        """Rows, each of which has a sample."""
        return self._episodes.num_frames

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Give the samples of `rows`: per key (batch, ...), or (batch, time, ...) for a key with offsets.

        A key with offsets comes with `<key>_is_pad` (batch, time): true where its frame would lie outside the episode,
        and the episode's edge is given instead. Pictures are uint8 (..., height, width, 3). `task_index` is (batch,).
        """
        rows = np.asarray(rows, np.int64)
        samples = {TASK_INDEX: self._dataset.take(TASK_INDEX, rows)}
        for key in (*self._columns, *self._pictures):
            wanted = rows
            if key in self._window.offsets:
                episode = self._episodes.of(rows)
                start, stop = self._episodes.start[episode], self._episodes.stop[episode]
                wanted, samples[f"{key}_is_pad"] = self._window.rows(key, rows, start, stop)
            samples[key] = self._read(key, wanted)
        return samples

    def _read(self, key: str, rows: np.ndarray) -> np.ndarray:
        if key in self._columns:
            return self._dataset.take(key, rows)
        pictures = self._pictures[key].read(rows.reshape(-1))
        return pictures.reshape(*rows.shape, *pictures.shape[1:])


class _Decoded:
    """Pictures of one camera, decoded whenever they are asked for."""

    def __init__(self, dataset: Dataset, key: str, size: tuple[int, int]) -> None:
        self._dataset, self._key, self._size = dataset, key, size

    def read(self, rows: np.ndarray) -> np.ndarray:
        return self._dataset.images(self._key, rows, self._size)


class _Cached(_Decoded):
    """Pictures of one camera, kept in memory from the first touch of their episode on."""

    _AT_ONCE = 2
    """Episodes decoded together: as many as a dataset decodes side by side, and no more memory than that."""

    def __init__(self, dataset: Dataset, key: str, size: tuple[int, int]) -> None:
        super().__init__(dataset, key, size)
        self._starts = dataset.episodes.start
        self._is_filled = np.zeros(len(self._starts), bool)
        num_frames = dataset.episodes.num_frames
        self._cache = np.empty((num_frames, *size, 3), np.uint8)
        self._lock = threading.Lock()

    def read(self, rows: np.ndarray) -> np.ndarray:
        touched = np.unique(np.searchsorted(self._starts, rows, "right") - 1)
        with self._lock:
            missing = touched[~self._is_filled[touched]]
            for first in range(0, len(missing), self._AT_ONCE):
                self._fill(missing[first : first + self._AT_ONCE])
        return self._cache[rows]

    def _fill(self, indices: np.ndarray) -> None:
        episodes = [self._dataset.episodes[index] for index in indices]
        rows = np.concatenate([np.arange(episode.start, episode.stop) for episode in episodes])
        self._cache[rows] = super().read(rows)
        self._is_filled[indices] = True


def _pictures(
    dataset: Dataset, cameras: Sequence[str], image_size: tuple[int, int] | None, cache_bytes: int
) -> dict[str, _Decoded]:
    sizes = {key: image_size or (dataset.specs[key].shape[0], dataset.specs[key].shape[1]) for key in cameras}
    num_frames = dataset.episodes.num_frames
    needed = sum(num_frames * height * width * 3 for height, width in sizes.values())
    source = _Cached if needed <= cache_bytes else _Decoded
    return {key: source(dataset, key, size) for key, size in sizes.items()}
