"""What the cache holds, of everything and of one dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from etude.data.cache.entry import Content
from etude.data.cache.listing import Stored
from etude.data.cache.store import FrameCache
from etude.data.dataset import Dataset


@dataclass(frozen=True)
class Kept:
    """Entries of one size, and of one camera where it is about a dataset."""

    camera: str
    shape: tuple[int, int, int]
    dtype: str
    num_entries: int
    num_pictures: int
    """Those that are there."""
    num_bytes: int
    """What they take; an entry takes its place when it is begun."""
    used_at: float


def of_dataset(
    cache: FrameCache, dataset: Dataset, progress: Callable[[int], None] = lambda _: None
) -> list[tuple[Stored, str]]:
    """Find the entries of a dataset, with their cameras; `progress` hears how many episodes were looked up."""
    by_identity = defaultdict[str, list[Stored]](list)
    for stored in cache.listed():
        by_identity[stored.content.identity].append(stored)
    found: list[tuple[Stored, str]] = []
    cameras = [key for key, spec in dataset.specs.items() if spec.is_image or spec.is_depth]
    for number in range(len(dataset.episodes) if by_identity else 0):
        for key in cameras:
            identity = Content.of(dataset.fingerprint(key, number), 0, (0, 0, 0), "").identity
            found += [(stored, key) for stored in by_identity.pop(identity, [])]
        progress(number + 1)
    return found


def summed(cache: FrameCache, entries: Iterable[tuple[Stored, str]]) -> list[Kept]:
    """Sum up entries by camera and size."""
    groups = defaultdict[tuple[str, tuple[int, int, int], str], list[Stored]](list)
    for stored, camera in entries:
        groups[camera, stored.content.shape, stored.content.dtype].append(stored)
    return [
        Kept(
            *group,
            num_entries=len(stored),
            num_pictures=sum(_pictures(cache, each) for each in stored),
            num_bytes=sum(each.num_bytes for each in stored),
            used_at=float(np.max([each.used_at for each in stored])),
        )
        for group, stored in sorted(groups.items())
    ]


def _pictures(cache: FrameCache, stored: Stored) -> int:
    if stored.is_complete:
        return stored.content.num_frames
    entry = cache.find(stored.content) if stored.is_trusted else None
    return entry.num_filled if entry else 0
