"""`etude dataset cache`: decoded pictures kept on disk."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.console import progress, say
from etude.core.errors import ConfigError, UserError

if TYPE_CHECKING:
    from etude.data.cache import FrameCache
    from etude.data.cache.listing import Stored
    from etude.data.dataset import Dataset

_AT_ONCE = 256
"""Pictures between two signs of progress."""
_MANY = 1000
"""Episodes that take a while to look up."""


@dataclass(frozen=True, kw_only=True)
class DatasetCache:
    """Decode a dataset's pictures to disk, so that training does not; or show or clear what is there.

    Training fills this cache by itself on its first pass over the data. Ctrl-C keeps what is done, and the same command
    goes on from there.
    """

    root: Positional[Path | None] = None
    """The dataset's folder."""
    size: str = ""
    """Height x width to keep pictures at, such as 224x224: what the policy trains on. Default: as they are."""
    list: bool = False
    """Show what is kept, of this dataset or of all."""
    clear: bool = False
    """Delete what is kept, of this dataset or of all; with --size, of that size."""
    cache_gb: float | None = None
    """Most gigabytes, of all datasets. Default: 20, or a quarter of what the disk has free."""


COMMAND = DatasetCache


def run(command: DatasetCache) -> int:
    """Fill, list or clear."""
    from etude.data import open_dataset
    from etude.data.cache import FrameCache

    if command.list and command.clear:
        raise UserError("--list and --clear exclude each other; take one of them.")
    size = _size(command.size)
    cache = FrameCache(max_bytes=None if command.cache_gb is None else int(1e9 * command.cache_gb))
    dataset = open_dataset(command.root) if command.root else None
    if command.list:
        return _list(cache, dataset)
    if command.clear:
        return _clear(cache, dataset, size)
    if dataset is None:
        raise UserError("Which dataset? Give its folder, or --list or --clear for all of them.")
    return _fill(cache, dataset, size)


def _size(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if text and (not found or not int(found[1]) or not int(found[2])):
        raise ConfigError(f"--size should be HEIGHTxWIDTH, such as 224x224, got '{text}'.")
    return (int(found[1]), int(found[2])) if found else None


def _fill(cache: FrameCache, dataset: Dataset, size: tuple[int, int] | None) -> int:
    import numpy as np

    from etude.data.cache import CachedPictures

    cameras = [key for key, spec in dataset.specs.items() if spec.is_image or spec.is_depth]
    if not cameras:
        print(f"{dataset.root} has no cameras: there is nothing to decode.")
        return 0
    num_frames, done, left_out = dataset.episodes.num_frames, 0, 0
    with progress("Decoding", num_frames * len(cameras)) as line:
        for key in cameras:
            pictures = CachedPictures(dataset, key, size, cache)
            for first in range(0, num_frames, _AT_ONCE):
                rows = np.arange(first, min(first + _AT_ONCE, num_frames))
                left_out += pictures.fill(rows)
                done += len(rows)
                line.update(done, key)
        cache.flush()
    return _report(cache, num_frames * len(cameras), left_out)


def _report(cache: FrameCache, num_pictures: int, left_out: int) -> int:
    if cache.is_off:
        return 1  # the cache has said why
    if left_out:
        say(
            f"{left_out} of {num_pictures} pictures do not fit: the cache may take {cache.max_bytes() / 1e9:.1f} GB. "
            "Raise --cache_gb, choose a smaller --size, or clear others with --clear."
        )
        return 1
    print(f"All {num_pictures} pictures are in {cache.folder}.")
    return 0


def _list(cache: FrameCache, dataset: Dataset | None) -> int:
    from etude.data.cache.summary import summed

    parts = summed(cache, _entries(cache, dataset))
    for kept in parts:
        height, width, _ = kept.shape
        used = datetime.datetime.fromtimestamp(kept.used_at).astimezone().strftime("%Y-%m-%d %H:%M")
        camera = f"{kept.camera} at " if kept.camera else ""
        print(
            f"{camera}{height}x{width}: {kept.num_pictures} pictures of {kept.num_entries} episodes, "
            f"{kept.num_bytes / 1e9:.3f} GB, last used {used}"
        )
    total = sum(kept.num_bytes for kept in parts) / 1e9
    print(f"{total:.3f} GB in {cache.folder}, which may take {cache.max_bytes() / 1e9:.1f} GB.")
    return 0


def _clear(cache: FrameCache, dataset: Dataset | None, size: tuple[int, int] | None) -> int:
    chosen = [stored for stored, _ in _entries(cache, dataset) if size in (None, stored.content.shape[:2])]
    for stored in chosen:
        cache.drop(stored)
    print(f"Deleted {len(chosen)} entries, {sum(stored.num_bytes for stored in chosen) / 1e9:.3f} GB.")
    return 0


def _entries(cache: FrameCache, dataset: Dataset | None) -> list[tuple[Stored, str]]:
    from etude.data.cache.summary import of_dataset

    if dataset is None:
        return [(stored, "") for stored in cache.listed()]
    if len(dataset.episodes) < _MANY:
        return of_dataset(cache, dataset)
    with progress("Looking up", len(dataset.episodes)) as line:
        return of_dataset(cache, dataset, line.update)
