"""What reading training samples will cost, measured on a few of them, and told in plain sentences."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from etude.data.cache import CachedPictures, FrameCache
from etude.data.dataset import Dataset
from etude.data.windows import Windows

_SAMPLES = 8
"""Samples that are read to measure with."""
_EPISODES = 100
"""Most episodes that are looked up in the cache; the others are taken to be like these."""
_BLOCK_BYTES = 32 << 20
_LEAST_S, _LONG_S = 0.02, 0.2
"""Least time that a measurement takes; time after which decoding one sample is long."""


@dataclass(frozen=True, kw_only=True)
class LoadingCost:
    """What the loader of a training run has to do, and how fast it is."""

    cameras: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    """Per camera, the size of its pictures as stored and as wanted: (height, width)."""
    num_pictures: int
    needed_bytes: int
    room_bytes: int
    """What the cache may take; 0 without one."""
    ready: float
    """Share of the pictures that are in the cache."""
    cpu_ms: float
    """Processor time of a sample whose pictures are not."""
    first_pass: float
    """Samples per second until all samples have been read once."""
    later: float
    """Samples per second from then on."""

    @property
    def fits(self) -> float:
        """Share of the pictures that the cache has room for."""
        return min(1.0, self.room_bytes / self.needed_bytes) if self.needed_bytes else 1.0

    def sentences(self) -> str:
        """Say it."""
        if not self.cameras:
            return f"No cameras: samples come from tables alone, about {_rounded(self.later)} a second."
        sizes = ", ".join(f"{key} {_size(stored)} as {_size(wanted)}" for key, (stored, wanted) in self.cameras.items())
        needed = f"{self.num_pictures} pictures ({sizes}) take {_gb(self.needed_bytes)} decoded"
        decoding = f"Decoding takes {self.cpu_ms:.1f} ms of processor time per sample"
        if not self.room_bytes:
            return f"{needed}; they are not kept. {decoding}: about {_rounded(self.later)} samples a second."
        room = f"the cache may take {_gb(self.room_bytes)}"
        kept = "all fit" if self.fits == 1 else f"{self.fits:.0%} fit, and the others are decoded every time"
        there = f"{self.ready:.0%} of them are there already."
        first, later = _rounded(self.first_pass), _rounded(self.later)
        pace = f"about {first} samples a second on the first pass over the data, then about {later}"
        if self.ready == 1:
            return f"{needed}; all are in the cache: about {later} samples a second."
        return f"{needed}; {room}: {kept}. {there} {decoding}: {pace}."


def loading_cost(dataset: Dataset, windows: Windows, rows: np.ndarray, cache: FrameCache | None) -> LoadingCost:
    """Measure on some of `rows`, of which `windows` gives the samples, through `cache` where there is one."""
    cameras, num_frames = windows.pictures, dataset.episodes.num_frames
    needed = sum(num_frames * each.num_bytes for each in cameras.values())
    room = cache.max_bytes() if cache and not cache.is_off else 0
    ready = _share_ready(dataset, cameras) if room else 0.0
    fits = max(ready, min(1.0, room / needed)) if needed else 1.0
    chosen = _some(windows, rows)
    kept, again = (_Pace.of_decoding(dataset, windows, chosen, is_kept=is_kept) for is_kept in (True, False))
    windows.batch(chosen)
    if cache:
        cache.flush()
    read = _Pace.of(lambda: windows.batch(chosen), len(chosen))
    copied = sum(len(windows.looked_at(key, chosen)) * each.num_bytes for key, each in cameras.items())
    read_s = read.wall_s + _copy_s(copied / len(chosen))
    decoding = again if not room else kept
    return LoadingCost(
        cameras={key: (dataset.specs[key].shape[:2], each.shape[:2]) for key, each in cameras.items()},
        num_pictures=num_frames * len(cameras),
        needed_bytes=needed,
        room_bytes=room,
        ready=ready,
        cpu_ms=1000 * decoding.cpu_s,
        first_pass=1 / (read_s + (fits - ready) * kept.wall_s + (1 - fits) * again.wall_s),
        later=1 / (read_s + (1 - fits) * again.wall_s),
    )


@dataclass(frozen=True)
class _Pace:
    """What one sample takes."""

    wall_s: float
    cpu_s: float

    @classmethod
    def of(cls, work: Callable[[], object], count: int) -> _Pace:
        """Time `work`, which does `count` samples, until that can be told from nothing."""
        began, used, times = time.perf_counter(), time.process_time(), 0
        while not times or time.perf_counter() - began < _LEAST_S:  # once even where the machine did something else
            work()
            times += max(1, count)
        return cls((time.perf_counter() - began) / times, (time.process_time() - used) / times)

    @classmethod
    def of_decoding(cls, dataset: Dataset, windows: Windows, rows: np.ndarray, *, is_kept: bool) -> _Pace:
        """Time decoding. Where pictures are kept, those that are decoded on the way count: their turn comes."""
        wall_s = cpu_s = 0.0
        for key, camera in windows.pictures.items():
            size, asked = camera.shape[:2], windows.looked_at(key, rows)
            count = len(dataset.decode(key, asked, size)[0]) if is_kept else len(rows)
            decode = dataset.decode if is_kept else dataset.images
            pace = cls.of(partial(decode, key, asked, size), count)
            wall_s, cpu_s = wall_s + pace.wall_s, cpu_s + pace.cpu_s
        return cls(wall_s, cpu_s)


def _some(windows: Windows, rows: np.ndarray) -> np.ndarray:
    """Choose so many rows that measuring takes a moment, even where one picture takes long."""
    chosen = np.sort(np.random.default_rng(0).choice(rows, min(_SAMPLES, len(rows)), replace=False))
    began = time.perf_counter()
    windows.batch(chosen[:1])
    return chosen[: max(1, int(_LONG_S / (time.perf_counter() - began)))]


def _copy_s(num_bytes: float) -> float:
    """Time copying pictures that are in no processor's cache, as those that were just measured with are."""
    source, target = np.ones((2, _BLOCK_BYTES), np.uint8)
    return _Pace.of(lambda: np.copyto(target, source), _BLOCK_BYTES).wall_s * num_bytes


def _share_ready(dataset: Dataset, cameras: Mapping[str, CachedPictures]) -> float:
    """Tell how many of the pictures are in the cache, looking at some episodes where there are many."""
    numbers = np.unique(np.linspace(0, len(dataset.episodes) - 1, _EPISODES).astype(int)).tolist()
    looked_at = ready = 0
    for camera in cameras.values():
        for number in numbers:
            entry = camera.entry(number)
            looked_at += int(dataset.episodes.length[number])
            ready += entry.num_filled if entry else 0
    return ready / looked_at if looked_at else 0.0


def _size(size: tuple[int, ...]) -> str:
    """Write a size as cameras have it: width x height."""
    return f"{size[1]}x{size[0]}"


def _gb(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e8 else f"{num_bytes / 1e6:.1f} MB"


def _rounded(number: float) -> str:
    """Leave the two figures that mean something."""
    if number < 10:
        return f"{number:.1f}"
    unit = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{round(number / unit) * unit:,}"
