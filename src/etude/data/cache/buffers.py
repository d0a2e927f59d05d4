"""Memory for batches that is used again: to have fresh memory of the system takes longer than to fill it."""

from __future__ import annotations

from collections import deque

import numpy as np

_KEPT = 2
"""Blocks kept for later; while batches follow one another, one is being read and others are being filled."""


class Buffers:
    """Gives arrays. The memory of one is given again when neither it nor any view of it is left."""

    def __init__(self) -> None:
        self._free: deque[np.ndarray] = deque(maxlen=_KEPT)

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Give an array that holds anything."""
        num_bytes = int(np.prod(shape)) * dtype.itemsize
        return np.asarray(_Lent(self._block(num_bytes), self._free)).view(dtype).reshape(shape)

    def _block(self, num_bytes: int) -> np.ndarray:
        try:
            block = self._free.pop()
        except IndexError:
            return np.empty(num_bytes, np.uint8)
        return block if block.nbytes == num_bytes else np.empty(num_bytes, np.uint8)


class _Lent:
    """Holds a block as long as an array is made of it. Arrays refer to it, and views of them do so too."""

    def __init__(self, block: np.ndarray, home: deque[np.ndarray]) -> None:
        self._block, self._home = block, home
        self.__array_interface__ = block.__array_interface__

    def __del__(self) -> None:
        self._home.append(self._block)
