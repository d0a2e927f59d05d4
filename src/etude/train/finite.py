"""Whether what is learned from are numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from etude.core.errors import DatasetError
from etude.core.frame import ACTION
from etude.data.dataset import Dataset, Episodes
from etude.train.samples import rows_of

MOST_CHECKED = 1_000_000
"""Rows that are looked at before a run; of longer datasets every n-th is, and all others as they are drawn."""


def check_start(dataset: Dataset, episodes: Episodes) -> None:
    """Look at the numbers that a policy may learn from; raise `DatasetError` for one that is none, naming its place."""
    rows = rows_of(episodes, MOST_CHECKED)
    for key, spec in dataset.specs.items():
        is_learned = key == ACTION or key.startswith("observation.")
        if is_learned and not spec.is_image and not spec.is_depth and np.issubdtype(spec.dtype, np.floating):
            check_rows(dataset, key, rows)


def check_rows(dataset: Dataset, key: str, rows: np.ndarray) -> None:
    """Raise `DatasetError` that names key, episode, frame and element of the first value that is no number."""
    values = dataset.take(key, rows).reshape(len(rows), -1)
    if np.isfinite(values).all():
        return
    row, element = np.argwhere(~np.isfinite(values))[0].tolist()
    episode = dataset.episodes[int(dataset.episodes.of(rows[row : row + 1])[0])]
    names = dataset.specs[key].names
    which = f"'{names[element]}'" if element < len(names) else f"element {element}"
    raise DatasetError(
        dataset.root,
        f"{which} of '{key}' is {values[row, element]} in episode {episode.index}, frame {rows[row] - episode.start}. "
        f"Leave the episode out: etude dataset delete {dataset.root} --episodes={episode.index}",
    )


def unsound(batch: Mapping[str, np.ndarray]) -> list[str]:
    """Name the entries of a batch that hold values which are no numbers."""
    return [key for key, value in batch.items() if value.dtype.kind == "f" and not np.isfinite(value).all()]
