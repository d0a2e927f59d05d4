"""Statistics of pictures, exact over a sample of pixels, from one small histogram per picture."""

from __future__ import annotations

import numpy as np

from etude.core.stats import QUANTILES, Stats

LEVELS = 256
_ALL_BELOW, _MOST = 100, 10_000
_TARGET_SIDE, _LARGE_SIDE = 150, 300


def histogram(picture: np.ndarray) -> np.ndarray:
    """Count each channel's values: (height, width, channels) -> uint32 (channels, 256).

    A large picture is thinned to about 150 pixels along its longer side, by LeRobot's rule.
    """
    side = max(picture.shape[:2])
    stride = int(side / _TARGET_SIDE) if side >= _LARGE_SIDE else 1
    pixels = picture[::stride, ::stride].reshape(-1, picture.shape[2])
    return np.stack([np.bincount(channel, minlength=LEVELS) for channel in pixels.T]).astype(np.uint32)


def sampled_frames(num_frames: int) -> np.ndarray:
    """Choose the frames whose pictures are measured: all of a short episode, n^0.75 from 100 on, as LeRobot does."""
    count = num_frames if num_frames < _ALL_BELOW else int(np.clip(num_frames**0.75, _ALL_BELOW, _MOST))
    return np.round(np.linspace(0, num_frames - 1, count)).astype(np.int64)


def image_stats(histograms: np.ndarray) -> Stats:
    """Measure an episode's pictures from their histograms (frame, channel, 256).

    Values are 0..1, arrays are shaped (channels, 1, 1), and `count` is the number of frames measured.
    """
    measured = histograms[sampled_frames(len(histograms))]
    counts = measured.sum(0, dtype=np.int64)  # (channel, level)
    levels = np.arange(LEVELS) / (LEVELS - 1)
    pixels = counts[0].sum()
    mean = counts @ levels / pixels
    variance = (counts * (levels - mean[:, None]) ** 2).sum(1) / pixels
    present = counts > 0
    return Stats(
        mean=_shaped(mean),
        std=_shaped(np.sqrt(variance)),
        min=_shaped(levels[present.argmax(1)]),
        max=_shaped(levels[LEVELS - 1 - present[:, ::-1].argmax(1)]),
        count=len(measured),
        quantiles={name: _shaped(_quantile(counts, level) / (LEVELS - 1)) for name, level in QUANTILES.items()},
    )


def _quantile(counts: np.ndarray, fraction: float) -> np.ndarray:
    """Interpolate between order statistics, as `np.quantile` does on the values themselves."""
    cumulative = counts.cumsum(1)
    position = fraction * (cumulative[0, -1] - 1)
    below, above = ((cumulative <= rank).sum(1) for rank in (np.floor(position), np.ceil(position)))
    return below + (above - below) * (position - np.floor(position))


def _shaped(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, 1, 1)
