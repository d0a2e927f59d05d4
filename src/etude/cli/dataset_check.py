"""`etude dataset check`: is a dataset sound?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True, kw_only=True)
class DatasetCheck:
    """Check everything the format promises; exit code 0 when it holds, 1 when not."""

    root: Positional[Path]
    """The dataset's folder."""


COMMAND = DatasetCheck


def run(command: DatasetCheck) -> int:
    """Print each problem, or that there is none."""
    from etude.data.check import check

    problems = check(command.root)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{command.root} is sound.")
    return 1 if problems else 0
