"""Memory that a process keeps for its next update, instead of giving it back to the system and asking for it again.

Activations come and go with every update. By default the C library gives large blocks back at once, and the system
clears every page of them when they are asked for again: a tenth of an update of a small policy on a processor.
"""

from __future__ import annotations

import ctypes
import sys

_LIMITS = {-1: 2**31 - 1, -2: 64 << 20, -3: 32 << 20}
"""Of glibc's malloc.h: M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, whose largest value this is [bytes]."""


def keep_freed_memory() -> bool:
    """Keep what is freed for the rest of the process; tell whether the C library can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    taken = [mallopt(name, value) for name, value in _LIMITS.items()] if mallopt else [0]
    return all(taken)
