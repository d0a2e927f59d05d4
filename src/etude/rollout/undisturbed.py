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


class Priority:
    """Real-time priority of the calling thread, where that is possible and allowed."""

    def __init__(self) -> None:
        self._before: tuple[int, os.sched_param] | None = None

    def take(self) -> None:
        """Put this thread before everything ordinary."""
        if sys.platform != "linux" or self._before:
            return
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
            self._before = before

    def give_up(self) -> None:
        """Be as before; harmless when there is no priority."""
        before, self._before = self._before, None
        if sys.platform != "linux" or not before:
            return
        policy, parameters = before
        try:
            os.sched_setscheduler(0, policy, parameters)
        except OSError:  # without privileges a thread cannot take back that its children go without
            with suppress(OSError):
                os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameters)


@contextmanager
def undisturbed() -> Generator[Priority]:
    """Let the calling thread run when it wants to, for the length of a block: the loop's needs before all others'.

    Nothing is tidied up meanwhile, other threads give the interpreter back sooner, and where the system permits it the
    thread has real-time priority, which it may give up. Threads and processes that are started meanwhile do not
    inherit it.
    """
    with ExitStack() as stack:
        stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(SWITCH_S)
        if gc.isenabled():
            gc.collect()
            gc.disable()
            stack.callback(gc.enable)
        priority = Priority()
        stack.callback(priority.give_up)
        priority.take()
        yield priority
