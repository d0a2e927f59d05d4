"""Threads kept to decode pictures side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def on_each(work: Callable[[T], None], pieces: Sequence[T]) -> None:
    """Do `work` on each piece, several at a time; raise what the first failed one raised. Not for use within `work`."""
    if len(pieces) > 1:
        list(_threads().map(work, pieces))
    elif pieces:
        work(pieces[0])


def num_threads() -> int:
    """Count the threads: one for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(num_threads(), thread_name_prefix="decode")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_threads.cache_clear)
