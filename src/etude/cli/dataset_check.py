"""`etude dataset check`: is a dataset sound?"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from etude.cli import verdict
from etude.cli.console import ProgressLine, progress, say

if TYPE_CHECKING:
    from etude.data.check import Report

_PATIENCE_S = 1.0
"""How long a check may take before its progress is shown."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A trained policy."""

    path: Path | None = None
    """Its checkpoint folder. Where it errs most, an episode is not like those that it learned from."""


@dataclass(frozen=True, kw_only=True)
class DatasetCheck:
    """Check everything the format promises; exit code 0 when it holds, 1 when not."""

    root: Positional[Path]
    """The dataset's folder."""
    deep: bool = False
    """Decode every picture, not only the first and the last of each episode."""
    by_episode: bool = False
    """Show of every episode how long it is, how much of it is pauses, how shaky the hand was and what came late."""
    outliers: bool = False
    """List the episodes that are least like the others, and in what."""
    policy: Judge = field(default_factory=Judge)
    """A trained policy, to which episodes may be strange as well."""
    json: bool = False
    """Print one JSON object with `problems` and `notes`, and `episodes` and `outliers` where they are asked for."""

    @property
    def asks_for_outliers(self) -> bool:
        """Whether episodes are to be compared; who names a policy wants that, too."""
        return self.outliers or self.policy.path is not None


COMMAND = DatasetCheck


def run(command: DatasetCheck) -> int:
    """Print each problem and what to do about it, and what else may be worth knowing."""
    report = _inspected(command)
    asks_more = command.by_episode or command.asks_for_outliers
    if command.json and asks_more:
        print(json.dumps(asdict(report) | ({} if report.problems else _looked_closer(command))))
        return 1 if report.problems else 0
    sound = f"{command.root} is sound{', every picture of it' if command.deep else ''}."
    code = verdict.give(report, sound, as_json=command.json)
    if asks_more and report.problems:
        say("Mend that first; then episodes can be compared.")
    elif asks_more:
        _looked_closer(command)
    return code


def _looked_closer(command: DatasetCheck) -> dict[str, Any]:
    """Judge the episodes; print what was asked for, or with --json give it."""
    from etude.cli.dataset_quality import errors_of, print_episodes, print_outliers
    from etude.data import open_dataset
    from etude.data.outliers import outliers
    from etude.data.quality import qualities

    dataset = open_dataset(command.root)
    found = list(qualities(dataset))
    errors = errors_of(command.policy.path, dataset) if command.policy.path else None
    unlike = outliers(dataset, found, errors) if command.asks_for_outliers else []
    if command.by_episode and not command.json:
        print_episodes(found, errors)
    if command.asks_for_outliers and not command.json:
        print_outliers(dataset, unlike)
    rows = [asdict(each) | ({"error": errors[each.episode]} if errors else {}) for each in found]
    return {"episodes": rows} | ({"outliers": [asdict(each) for each in unlike]} if command.asks_for_outliers else {})


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
