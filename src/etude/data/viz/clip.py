"""One camera's video of one episode, in a file that a browser plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from etude.data.dataset import Dataset
from etude.data.lerobot.dataset import LeRobotDataset
from etude.data.video import VideoWriter
from etude.data.video.splice import Piece, coding, splice

_PLAYABLE = ("av1", "h264")
"""What browsers play; of the older ones, some only the second."""
_G, _CRF = 10, 23
_AT_ONCE = 32
_NEAR, _FAR = 2, 98
"""Percentiles of distance between which colours are spread."""


def write_clip(dataset: Dataset, key: str, number: int, path: Path, *, h264: bool = False) -> None:
    """Write the pictures of the episode at position `number`: copied where browsers play them, else encoded as H.264.

    With `h264` they are that in any case. Raises `DatasetError` when one of them is not there.
    """
    piece = _piece(dataset, key, number)
    if piece is not None and _is_playable(piece.path, h264=h264):
        splice([piece], path, dataset.fps)
        return
    writer = VideoWriter(path, dataset.fps, vcodec="h264", crf=_CRF, g=_G)
    try:
        for picture in _pictures(dataset, key, number):
            writer.add(picture)
    finally:
        writer.close()


def _piece(dataset: Dataset, key: str, number: int) -> Piece | None:
    if not isinstance(dataset, LeRobotDataset) or key not in dataset.contents.clips or dataset.specs[key].is_depth:
        return None
    clip = dataset.contents.clips[key][number]
    return Piece(path=clip.path, start=clip.start, length=clip.length)


def _is_playable(path: Path, *, h264: bool) -> bool:
    found = coding(path)
    return found.pix_fmt == "yuv420p" and found.codec in (("h264",) if h264 else _PLAYABLE)


def _pictures(dataset: Dataset, key: str, number: int) -> Iterator[np.ndarray]:
    """Yield an episode's pictures in colour, their sides even as H.264 wants them."""
    start, stop = int(dataset.episodes.start[number]), int(dataset.episodes.stop[number])
    span = _depth_span(dataset, key, start, stop) if dataset.specs[key].is_depth else None
    for first in range(start, stop, _AT_ONCE):
        for picture in dataset.images(key, np.arange(first, min(first + _AT_ONCE, stop))):
            shown = picture if span is None else _coloured(picture, *span)
            height, width = shown.shape[:2]
            yield np.pad(shown, ((0, height % 2), (0, width % 2), (0, 0)), "edge")


def _depth_span(dataset: Dataset, key: str, start: int, stop: int) -> tuple[float, float]:
    rows = np.unique(np.linspace(start, stop - 1, 8).astype(np.int64))
    seen = dataset.images(key, rows)
    seen = seen[seen > 0]
    low, high = np.percentile(seen, [_NEAR, _FAR]) if len(seen) else (0, 1)
    return float(low), float(max(high, low + 1))


def _coloured(depth: np.ndarray, low: float, high: float) -> np.ndarray:
    """Colour distances: near is warm, far is cool, nothing measured is black."""
    share = np.clip((depth[..., 0].astype(np.float32) - low) / (high - low), 0, 1)
    colours = cv2.applyColorMap(np.round((1 - share) * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    colours = cv2.cvtColor(colours, cv2.COLOR_BGR2RGB)
    return np.where(depth > 0, colours, 0).astype(np.uint8)
