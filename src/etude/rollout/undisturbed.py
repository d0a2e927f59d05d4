"""What keeps a control loop in real time from being held up by the rest of its own process."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress

SWITCH_S = 0.0005
"""How long another thread may keep the interpreter to itself; Python's own 5 ms would make ticks late."""
PRIORITY = 1
"""The lowest of the real-time priorities: before everything ordinary, behind what the system holds dear."""


@contextmanager
def undisturbed() -> Generator[None]:
    """Let the calling thread run when it wants to, for the length of a block: the loop's needs before all others'.

    Nothing is tidied up meanwhile, other threads give the interpreter back sooner, and where the system permits it the
    thread has real-time priority. Threads and processes that are started meanwhile do not inherit it.
    """
    with ExitStack() as stack:
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(SWITCH_S)
        if gc.isenabled():
            gc.collect()
            gc.disable()
            stack.callback(gc.enable)
        stack.enter_context(_prioritised())
        yield


@contextmanager
def _prioritised() -> Generator[None]:
    """Give the calling thread real-time priority where that is possible and allowed."""
    if sys.platform != "linux":
        yield
        return
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, before, parameters)
