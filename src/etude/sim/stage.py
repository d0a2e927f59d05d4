"""Choosing what the simulated table is set for, before anything is simulated."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from etude.sim.task_config import TaskConfig
from etude.sim.tasks import tasks

DEFAULT_TASK = "pick_place"

_chosen: list[TaskConfig] = []


@contextmanager
def staged(config: TaskConfig) -> Generator[None]:
    """For the length of a block, set the tables of worlds that begin for the task that `config` belongs to."""
    _chosen.append(config)
    try:
        yield
    finally:
        _chosen.pop()


def chosen() -> TaskConfig:
    """Give what tables are set for now; pick-and-place if nobody chose."""
    return _chosen[-1] if _chosen else tasks.config(DEFAULT_TASK)()
