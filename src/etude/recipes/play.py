"""Playing a recipe: each stage is a process of its own, and its command is shown as it begins."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etude.core.child import run_etude
from etude.core.errors import EtudeError
from etude.recipes.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Done:
    """A stage that has run."""

    stage: Stage
    wall_s: float
    """From the command to its end [s]."""
    cpu_s: float
    """Time of all processors [s]."""
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the command printed as JSON, where it was asked to."""


@dataclass(frozen=True, kw_only=True)
class Performance:
    """A run that is over."""

    stages: tuple[Done, ...]
    wall_s: float
    """From the first command to the end of the last one [s]."""

    def __getitem__(self, name: str) -> Done:
        return next(done for done in self.stages if done.stage.name == name)

    def __contains__(self, name: str) -> bool:
        return any(done.stage.name == name for done in self.stages)


def play(stages: Sequence[Stage], tell: Callable[[str], object]) -> Performance:
    """Run the stages one after the other; raise `EtudeError` with the stage that failed, which has said why."""
    began = time.monotonic()
    done: list[Done] = []
    for number, stage in enumerate(stages, start=1):
        tell(f"\n{number}. {stage.title}\n  $ {command_line(stage)}")
        done.append(_played(stage))
    return Performance(stages=tuple(done), wall_s=time.monotonic() - began)


def command_line(stage: Stage) -> str:
    """Give the stage as a user would type it."""
    return shlex.join(["etude", *stage.words])


def _played(stage: Stage) -> Done:
    began, cpu_s = time.monotonic(), _children_s()
    code, printed = run_etude(stage.words, reads=True)
    if code:
        raise EtudeError(f"The run stopped at '{stage.title}', which ended with exit code {code}.")
    answer = json.loads(printed.strip().splitlines()[-1]) if "--json" in stage.words else {}
    return Done(stage=stage, wall_s=time.monotonic() - began, cpu_s=_children_s() - cpu_s, answer=answer)


def _children_s() -> float:
    """Give the processor time of all processes that were started here and are over [s]."""
    times = os.times()
    return times.children_user + times.children_system
