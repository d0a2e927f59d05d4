"""Options that several commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.policies.loaded import LoadedPolicy

EVALUATION_SEEDS = 1_000_000_000
"""Scenes from here on are kept for evaluation; recording uses those below."""


def spare_a_core() -> int:
    """Count the processor's cores but one.

    Threads that compute together wait for the slowest: where another program takes one of two cores, two threads are
    slower than one, and on an idle machine hardly faster (`benchmarks/threads.py`).
    """
    return max(1, (os.cpu_count() or 1) - 1)


def open_policy(path: Path, device: str) -> LoadedPolicy:
    """Load a policy to act with, on all cores but one."""
    import torch

    from etude.policies.checkpoint import load

    torch.set_num_threads(spare_a_core())
    return load(path, device=device)


@dataclass(frozen=True, kw_only=True)
class TrainedPolicy:
    """A trained policy."""

    path: Path
    """Its checkpoint folder: Etude's or LeRobot's."""
    replan: int = 0
    """Actions played of each chunk before a new one is asked for; 0: as the checkpoint says."""
