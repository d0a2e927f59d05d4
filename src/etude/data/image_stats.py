"""Statistics of pictures, exact over a sample of pixels, from one small histogram per picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from etude.core.sketch import Histogram
from etude.core.stats import Stats, quantiles_of
from etude.data.depth import count_depths, depth_stats

LEVELS = 256
_ALL_BELOW, _MOST = 100, 10_000
_TARGET_SIDE, _LARGE_SIDE = 150, 300


def histogram(picture: np.ndarray) -> np.ndarray:
    """Count each channel's values, of a large picture thinned: (height, width, channels) -> uint32 (channels, 256)."""
    pixels = thinned(picture).reshape(-1, picture.shape[2])
    return np.stack([np.bincount(channel, minlength=LEVELS) for channel in pixels.T]).astype(np.uint32)


def thinned(picture: np.ndarray) -> np.ndarray:
    """Leave out pixels of a large picture, to about 150 along its longer side, by LeRobot's rule."""
    side = max(picture.shape[:2])
    stride = int(side / _TARGET_SIDE) if side >= _LARGE_SIDE else 1
    return picture[::stride, ::stride]


def sampled_frames(num_frames: int) -> np.ndarray:
    """Choose the frames whose pictures are measured: all of a short episode, n^0.75 from 100 on, as LeRobot does."""
    count = num_frames if num_frames < _ALL_BELOW else int(np.clip(num_frames**0.75, _ALL_BELOW, _MOST))
    return np.round(np.linspace(0, num_frames - 1, count)).astype(np.int64)


def image_stats(histograms: np.ndarray) -> Stats:
    """Measure an episode's pictures from their histograms (frame, channel, 256).

    Values are 0..1, arrays are shaped (channels, 1, 1), and `count` is the number of frames measured.
    """
    measured = histograms[sampled_frames(len(histograms))]
    return stats_of(Histogram(measured.sum(0, dtype=np.int64), len(measured)))


def measured(pictures: Iterable[np.ndarray], *, is_depth: bool) -> Stats:
    """Measure pictures, or distances [mm], large ones thinned; each counts."""
    total, count = np.zeros(1, np.int64), 0
    for picture in pictures:
        total = total + (count_depths(thinned(picture)) if is_depth else histogram(picture))
        count += 1
    return depth_stats(total, count) if is_depth else stats_of(Histogram(total, count))


def stats_of(measured: Histogram) -> Stats:
    """Give the statistics of the pictures in a histogram, exactly."""
    counts, levels = measured.counts, np.arange(LEVELS) / (LEVELS - 1)
    pixels = counts[0].sum()
    mean = counts @ levels / pixels
    variance = (counts * (levels - mean[:, None]) ** 2).sum(1) / pixels
    present = counts > 0
    return Stats(
        mean=_shaped(mean),
        std=_shaped(np.sqrt(variance)),
        min=_shaped(levels[present.argmax(1)]),
        max=_shaped(levels[LEVELS - 1 - present[:, ::-1].argmax(1)]),
        count=measured.count,
        quantiles=quantiles_of(measured),
        sketch=measured,
    )


def counted_in_frames(stats: Stats, num_frames: int) -> Stats:
    """Give a camera's statistics of an episode of `num_frames` with a count of frames.

    LeRobot counts the sampled frames when it encodes after recording, and their pixels when it encodes meanwhile.
    Merged by such counts, episodes recorded the second way would weigh as much as thousands of the others. A count
    above the length of the episode is one of pixels; LeRobot samples as many frames either way.
    """
    return replace(stats, count=len(sampled_frames(num_frames))) if stats.count > num_frames else stats


def _shaped(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1, 1)
