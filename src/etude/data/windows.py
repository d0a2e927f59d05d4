"""Training samples from a dataset: whole batches at once, from table columns and decoded pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etude.core.errors import NotFound
from etude.core.window import Window
from etude.data.cache import CachedPictures, FrameCache
from etude.data.dataset import Dataset

TASK_INDEX = "task_index"
Bounds = tuple[np.ndarray, np.ndarray]
"""The first row of each row's episode, and the row after its last."""


class Windows:
    """The sample around every row of a dataset, given in batches.

    `keys` are read at the row itself, or at the offsets that `window` names for them. Pictures come at `image_size`
    (height, width), out of `cache` where they are there already. Rows that are `left_out` (row,) are passed over by
    offsets, as though they had not been recorded. Threads may share it.
    """

    def __init__(
        self,
        dataset: Dataset,
        window: Window,
        keys: Sequence[str],
        *,
        image_size: tuple[int, int] | None = None,
        cache: FrameCache | None = None,
        left_out: np.ndarray | None = None,
    ) -> None:
        self._dataset, self._window = dataset, window
        self._kept = None if left_out is None else np.flatnonzero(~left_out)
        unknown = next((key for key in (*keys, *window.offsets) if key not in dataset.specs), None)
        if unknown is not None:
            raise NotFound("key in the dataset", unknown, dataset.specs)
        self._episodes = dataset.episodes
        cameras = [key for key in keys if dataset.specs[key].is_image or dataset.specs[key].is_depth]
        self._columns = [key for key in keys if key not in cameras]
        self.pictures = {key: CachedPictures(dataset, key, image_size, cache) for key in cameras}
        """Per camera."""

    def __len__(self) -> int:
        """Rows, each of which has a sample."""
        return self._episodes.num_frames

    def batch(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Give the samples of `rows`: per key (batch, ...), or (batch, time, ...) for a key with offsets.

        A key with offsets comes with `<key>_is_pad` (batch, time): true where its frame would lie outside the episode,
        and the episode's edge is given instead. Pictures are uint8 (..., height, width, 3), depth uint16 with one
        channel. `task_index` is (batch,).
        """
        rows = np.asarray(rows, np.int64)
        samples = {TASK_INDEX: self._dataset.take(TASK_INDEX, rows)}
        bounds = self._bounds(rows)
        for key in (*self._columns, *self.pictures):
            wanted = rows
            if self._window.of(key):
                wanted, samples[f"{key}_is_pad"] = self._around(key, rows, bounds)
            samples[key] = self._read(key, wanted)
        return samples

    def looked_at(self, key: str, rows: np.ndarray) -> np.ndarray:
        """Give the rows, ascending, that are read of `key` for the samples of `rows`."""
        if not self._window.of(key):
            return np.unique(rows)
        return np.unique(self._around(key, rows, self._bounds(rows))[0])

    def _around(self, key: str, rows: np.ndarray, bounds: Bounds) -> tuple[np.ndarray, np.ndarray]:
        """Give the rows (batch, time) of `key` around `rows`, and which of them would lie outside the episode."""
        if self._kept is None:
            return self._window.rows(key, rows, *bounds)
        places = np.searchsorted(self._kept, rows, "right") - 1  # a row that is left out: the last one before it
        start, stop = (np.searchsorted(self._kept, each) for each in bounds)
        wanted, is_pad = self._window.rows(key, places, start, stop)
        return self._kept[wanted], is_pad

    def _bounds(self, rows: np.ndarray) -> Bounds:
        episode = self._episodes.of(rows)
        return self._episodes.start[episode], self._episodes.stop[episode]

    def _read(self, key: str, rows: np.ndarray) -> np.ndarray:
        if key not in self.pictures:
            return self._dataset.take(key, rows)
        pictures = self.pictures[key].read(rows.reshape(-1))
        return pictures.reshape(*rows.shape, *pictures.shape[1:])
