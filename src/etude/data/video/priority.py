"""Encoders that give way to the control loop."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

_BACKGROUND = 2
"""How much nicer an encoder's own threads are than the control loop. More would starve them on a busy machine."""


@contextmanager
def unhurried() -> Generator[None]:
    """Let no thread win priority during a block in which an encoder is opened.

    SVT-AV1 gives the highest real-time priority there is, where it may (as root), to its own threads and to the one
    that opens it, which would keep it for good and hand it on to every process that it starts.
    """
    if sys.platform != "linux":
        yield
        return
    before, policy, parameters = _threads(), os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in _threads() - before:
            with suppress(OSError):  # ended meanwhile
                if os.sched_getscheduler(thread) in (os.SCHED_FIFO, os.SCHED_RR):
                    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
        with suppress(OSError):
            os.sched_setscheduler(0, policy, parameters)


def in_background(work: Callable[[], None]) -> None:
    """Do `work` so that the threads it starts give way to the control loop, where the system can tell them apart."""
    if sys.platform != "linux":
        work()
        return
    failures: list[Exception] = []

    def give_way() -> None:
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice + _BACKGROUND)
        try:
            with unhurried():
                work()
        except Exception as error:  # noqa: BLE001  raised again in the caller's thread
            failures.append(error)

    # A thread of its own, since one that gave way cannot come back, and the caller holds the interpreter lock at times.
    thread = threading.Thread(target=give_way, name="open encoder")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _threads() -> set[int]:
    """List the threads of this process."""
    with suppress(OSError):  # a container may hide them
        return {int(name) for name in os.listdir("/proc/self/task")}  # noqa: PTH208 - names, not paths
    return set()
