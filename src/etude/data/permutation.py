"""A shuffle of any number of things that takes no memory: each position's place is computed when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ROUNDS = 10
_FEW = 4096
"""So many are shuffled outright, which is faster, and takes 32 kB at most."""
_WORD = np.uint64
_MIX = (_WORD(0xBF58476D1CE4E5B9), _WORD(0x94D049BB133111EB))
"""Factors of the splitmix64 finalizer (Steele, Lea and Flood, 2014)."""


class Permutation:
    """A pseudo-random permutation of 0..length-1, decided by `seed`.

    A Feistel network permutes the numbers below the next power of two; one that lands outside is sent through it
    again until it lands inside (Black and Rogaway, 2002), less than twice on average.
    """

    def __init__(self, length: int, seed: Sequence[int]) -> None:
        bits = max(length - 1, 0).bit_length()
        self.length, self._low_bits = length, _WORD(bits // 2)
        self._masks = _WORD((1 << (bits - bits // 2)) - 1), _WORD((1 << (bits // 2)) - 1)
        seeds = np.random.SeedSequence(list(seed))
        self._table = np.random.default_rng(seeds).permutation(length) if length <= _FEW else None
        self._keys = seeds.generate_state(_ROUNDS, np.uint64)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """Give what stands at `positions`, int64 of the same shape."""
        if self._table is not None:
            return self._table[positions]
        places = self._sent(np.asarray(positions).astype(_WORD))
        outside = np.flatnonzero(places >= self.length)
        while len(outside):
            places[outside] = self._sent(places[outside])
            outside = outside[places[outside] >= self.length]
        return places.astype(np.int64)

    def _sent(self, numbers: np.ndarray) -> np.ndarray:
        high, low = numbers >> self._low_bits, numbers & self._masks[1]
        for first, second in self._keys.reshape(-1, 2):
            high ^= _mixed(low, first) & self._masks[0]
            low ^= _mixed(high, second) & self._masks[1]
        return (high << self._low_bits) | low


def _mixed(values: np.ndarray, key: np.uint64) -> np.ndarray:
    mixed = values ^ key
    mixed ^= mixed >> _WORD(30)
    mixed *= _MIX[0]
    mixed ^= mixed >> _WORD(27)
    mixed *= _MIX[1]
    mixed ^= mixed >> _WORD(31)
    return mixed
