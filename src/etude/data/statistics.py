"""Statistics that a dataset does not store, measured when they are asked for and kept for the next time.

Old datasets have no quantiles, some no statistics at all; normalising by quantiles works with them all the same. What
was measured is kept in the cache folder, told by the content of the data, so reading a dataset never writes into it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from etude.core import sketch
from etude.core.errors import ConfigError
from etude.core.files import write_json
from etude.core.frame import ACTION, STATE
from etude.core.sketch import Digest
from etude.core.spec import Spec
from etude.core.stats import QUANTILES, Stats
from etude.data import image_stats
from etude.data.cache_folder import cache_folder, touch
from etude.data.dataset import Dataset
from etude.data.image_stats import sampled_frames
from etude.data.quantiles import exact_quantiles

Tell = Callable[[int, int], None]
"""Is told how much of how much is done."""
_ROWS, _PICTURES = 1 << 18, 32
"""Rows, and pictures, in memory together."""
_SAMPLED_ROWS, _SAMPLED_EPISODES = 4096, 64
"""Rows of a column, and clips of a camera, that tell whether they are those measured before."""
_FOOTER_BYTES = 1 << 16


class CompleteStats(Mapping[str, Stats]):
    """What a dataset stores of statistics, and for what it lacks, what is measured at first use.

    Cameras are measured only if nothing at all is stored of them: decoding takes long, and nobody normalises pictures
    by quantiles. `measured` does so for who does.
    """

    def __init__(self, dataset: Dataset, stored: Callable[[], Mapping[str, Stats]]) -> None:
        self._dataset, self._read = dataset, stored
        self._known: dict[str, Stats] = {}

    def __getitem__(self, key: str) -> Stats:
        if key not in self._known:
            self._known[key] = self._found(key)
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        unstored = self._dataset.specs if self._dataset.episodes.num_frames else ()
        return iter(dict.fromkeys([*self._read(), *unstored]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _found(self, key: str) -> Stats:
        stored = self._read().get(key)
        if key not in iter(self):
            raise KeyError(key)
        spec = self._dataset.specs.get(key)
        if stored is not None and (spec is None or spec.is_image or spec.is_depth or is_complete(stored, spec)):
            return stored
        return measured(self._dataset, key)


def shape_of(spec: Spec) -> tuple[int, ...]:
    """Give the shape that statistics of a key have: those of pictures are per channel."""
    return (spec.shape[2], 1, 1) if spec.is_image or spec.is_depth else spec.shape


def is_complete(stats: Stats, spec: Spec) -> bool:
    """Whether statistics have the right shape, a count and all quantiles."""
    return stats.mean.shape == shape_of(spec) and stats.count > 0 and all(name in stats.quantiles for name in QUANTILES)


def measured(dataset: Dataset, key: str, tell: Tell = lambda *_: None) -> Stats:
    """Measure one key of a dataset, or remember what was measured of the same data before."""
    path = cache_folder("stats") / f"{_content(dataset, key)}.json"
    with suppress(OSError, ValueError, KeyError, ConfigError):
        stored = json.loads(path.read_text(encoding="utf-8"))
        touch(path)
        known = sketch.from_bytes(base64.b64decode(stored["sketch"])) if stored["sketch"] else None
        return replace(Stats.from_json(stored["stats"]), sketch=known)
    stats = measure(dataset, key, tell)
    with suppress(OSError):  # a full disk costs only the time of measuring again
        payload = base64.b64encode(stats.sketch.to_bytes()).decode() if stats.sketch else ""
        write_json(path, {"key": key, "stats": stats.to_json(), "sketch": payload})
    return stats


def measure(dataset: Dataset, key: str, tell: Tell = lambda *_: None) -> Stats:
    """Measure one key over all frames: columns exactly, pictures on as many frames as LeRobot samples of so many."""
    spec = dataset.specs[key]
    if spec.is_image or spec.is_depth:
        chosen = sampled_frames(dataset.episodes.num_frames)
        return pictures_stats(dataset, key, _rows_at(dataset, chosen), tell)
    return _column_stats(lambda: (dataset.take(key, rows) for rows in row_chunks(dataset)), tell, dataset)


def pictures_stats(dataset: Dataset, key: str, rows: np.ndarray, tell: Tell = lambda *_: None) -> Stats:
    """Measure the pictures of `key` at `rows`, thinned as while recording."""

    def pictures() -> Iterator[np.ndarray]:
        for first in range(0, len(rows), _PICTURES):
            yield from dataset.images(key, rows[first : first + _PICTURES])
            tell(min(first + _PICTURES, len(rows)), len(rows))

    return image_stats.measured(pictures(), is_depth=dataset.specs[key].is_depth)


def relative_action_stats(dataset: Dataset, chunk_size: int, tell: Tell = lambda *_: None) -> Stats:
    """Measure `action[t + k] - state[t]` for all k below `chunk_size` that stay in the episode.

    This is what a policy learns whose actions are relative to where the robot is. Raises `ConfigError` when action and
    state do not have the same elements.
    """
    action, state = dataset.specs.get(ACTION), dataset.specs.get(STATE)
    if action is None or state is None or action.shape != state.shape:
        raise ConfigError(f"Relative actions need '{ACTION}' and '{STATE}' of one shape, got {action} and {state}.")

    def chunks() -> Iterator[np.ndarray]:
        for rows in row_chunks(dataset, chunk_size):
            now, stop = dataset.take(STATE, rows), dataset.episodes.stop[dataset.episodes.of(rows)]
            later = [(rows + step)[rows + step < stop] for step in range(chunk_size)]
            here = [now[rows + step < stop] for step in range(chunk_size)]
            yield np.concatenate([dataset.take(ACTION, at) - then for at, then in zip(later, here, strict=True)])

    return _column_stats(chunks, tell, dataset)


def _column_stats(chunks: Callable[[], Iterator[np.ndarray]], tell: Tell, dataset: Dataset) -> Stats:
    """Merge the parts' statistics; a second pass makes the quantiles of more than one part exact."""
    parts: list[Stats] = []
    for chunk in chunks():
        parts.append(Stats.of(chunk))
        tell(min(len(parts) * _ROWS, dataset.episodes.num_frames), dataset.episodes.num_frames)
    merged = Stats.merge(parts)
    if len(parts) == 1 or not isinstance(merged.sketch, Digest):
        return replace(merged, quantiles=parts[0].quantiles)
    exact = exact_quantiles(chunks, merged.sketch, list(QUANTILES.values()))
    return replace(merged, quantiles=dict(zip(QUANTILES, exact, strict=True)))


def row_chunks(dataset: Dataset, share: int = 1) -> Iterator[np.ndarray]:
    """Yield rows, as many as fit into memory when each takes `share` times what it is."""
    count, most = dataset.episodes.num_frames, max(_ROWS // share, 1)
    for first in range(0, count, most):
        yield _rows_at(dataset, np.arange(first, min(first + most, count)))


def _rows_at(dataset: Dataset, positions: np.ndarray) -> np.ndarray:
    """Give the rows of the frames at positions among those of the dataset's episodes."""
    ends = np.cumsum(dataset.episodes.length)
    episode = np.searchsorted(ends, positions, "right")
    return dataset.episodes.stop[episode] - ends[episode] + positions


def _content(dataset: Dataset, key: str) -> str:
    """Tell the data of one key from all other data."""
    digest = hashlib.blake2b(f"{key} {dataset.specs[key]} {dataset.fps}".encode(), digest_size=16)
    digest.update(dataset.episodes.length.tobytes())
    if key in dataset.codecs:
        for number in _spread(len(dataset.episodes), _SAMPLED_EPISODES).tolist():
            digest.update(dataset.fingerprint(key, number).encode())
        return digest.hexdigest()
    rows = _rows_at(dataset, _spread(dataset.episodes.num_frames, _SAMPLED_ROWS))
    digest.update(np.ascontiguousarray(dataset.take(key, rows)).tobytes())
    contents = getattr(dataset, "contents", None)
    if contents is not None:
        digest.update(contents.identity.encode() or b"".join(map(_footer, contents.tables)))
    return digest.hexdigest()


def _spread(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _footer(path: Path) -> bytes:
    """Give the end of a table, which describes all that is in it."""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(size - _FOOTER_BYTES, 0))
        return hashlib.blake2b(file.read(), digest_size=16, salt=size.to_bytes(16, "little")).digest()
