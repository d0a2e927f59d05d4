"""A number in the pixels of a picture, in black and white cells that survive JPEG and video."""

from __future__ import annotations

import numpy as np

_ROWS, _COLUMNS = 4, 6
_MAX_CELL = 8
NUM_BITS = _ROWS * _COLUMNS


def mark(picture: np.ndarray, number: int) -> None:
    """Draw `number`, modulo 2**24, into the top left corner of `picture`, uint8 (height, width, 3), in place."""
    bits = (number >> np.arange(NUM_BITS)[::-1]) & 1
    cell = _cell(picture)
    cells = bits.reshape(_ROWS, _COLUMNS).repeat(cell, axis=0).repeat(cell, axis=1)
    picture[: cells.shape[0], : cells.shape[1]] = (cells * 255).astype(np.uint8)[..., None]


def read_mark(picture: np.ndarray) -> int:
    """Give the number that `mark` drew."""
    cell = _cell(picture)
    corner = picture[: _ROWS * cell, : _COLUMNS * cell].reshape(_ROWS, cell, _COLUMNS, cell, -1)
    bits = corner.mean(axis=(1, 3, 4)).reshape(-1) > 127
    return int(bits @ (1 << np.arange(NUM_BITS)[::-1]))


def _cell(picture: np.ndarray) -> int:
    """Give the side of a cell: large enough for a lossy codec, small enough for the scene to be seen."""
    return min(_MAX_CELL, max(1, picture.shape[1] // (_COLUMNS * 4)))
