"""Batches read while earlier ones are learned from."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

READERS = 2
"""Threads that put batches together. Each may set all decoding threads to work; two keep those busy in between."""

D = TypeVar("D")
T = TypeVar("T")


def ahead(draw: Callable[[], D], read: Callable[[D], T], count: int, *, readers: int = READERS) -> Generator[T]:
    """Yield `read(draw())` `count` times and in order, reading as many of the next ones in threads meanwhile.

    `draw` is called in the caller's thread, in order, so that what is drawn does not depend on how fast reading goes.
    """
    pool = ThreadPoolExecutor(readers, thread_name_prefix="loader")
    try:
        waiting = deque(pool.submit(read, draw()) for _ in range(min(readers, count)))
        for done in range(count):
            ready = waiting.popleft().result()
            if done + readers < count:
                waiting.append(pool.submit(read, draw()))
            yield ready
    finally:
        pool.shutdown(cancel_futures=True)
