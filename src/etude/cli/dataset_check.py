"""`etude dataset check`: is a dataset sound?"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli import verdict
from etude.cli.console import ProgressLine, progress

if TYPE_CHECKING:
    from etude.data.check import Report

_PATIENCE_S = 1.0
"""How long a check may take before its progress is shown."""


@dataclass(frozen=True, kw_only=True)
class DatasetCheck:
    """Check everything the format promises; exit code 0 when it holds, 1 when not."""

    root: Positional[Path]
    """The dataset's folder."""
    deep: bool = False
    """Decode every picture, not only the first and the last of each episode."""
    json: bool = False
    """Print one JSON object with `problems` and `notes`."""


COMMAND = DatasetCheck


def run(command: DatasetCheck) -> int:
    """Print each problem and what to do about it, and what else may be worth knowing."""
    report = _inspected(command)
    sound = f"{command.root} is sound{', every picture of it' if command.deep else ''}."
    return verdict.give(report, sound, as_json=command.json)


def _inspected(command: DatasetCheck) -> Report:
    """Check, and show how far that is once it takes longer than a moment."""
    from etude.data.check import inspect

    began = time.perf_counter()
    bars: dict[str, ProgressLine] = {}
    with ExitStack() as shown:

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars and time.perf_counter() - began > _PATIENCE_S:
                shown.pop_all().close()
                bars[what] = shown.enter_context(progress(f"checking {what}", total))
            if what in bars:
                bars[what].update(done)

        return inspect(command.root, deep=command.deep, tell=tell)
