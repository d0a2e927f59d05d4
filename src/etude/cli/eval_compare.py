"""`etude eval compare`: is one evaluation really better than another?"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.core.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from etude.rollout.compare import Comparison, Difference
    from etude.rollout.report import Report


@dataclass(frozen=True, kw_only=True)
class EvalCompare:
    """Say whether the difference between evaluations is real, or luck would do.

    Evaluations of the same scenes (the same --seed) are compared scene by scene, which needs far fewer rollouts. With
    more than two, each is compared with the first.
    """

    runs: Positional[tuple[Path, ...]]
    """Folders of `etude eval`, or their eval.json."""
    any_env: bool = False
    """Compare although the environments or their settings differ."""
    json: bool = False
    """Print the result as one JSON object on the last line."""


COMMAND = EvalCompare
_LABELS = {
    "max_reward": "largest reward",
    "time_to_success_s": "time to success [s]",
    "action_jerk": "jerk of actions [units/s^3]",
    "state_jerk": "jerk of joints [units/s^3]",
}
_MOST_SETTINGS = 8


def run(command: EvalCompare) -> int:
    """Compare."""
    from rich.console import Console

    from etude.rollout.compare import compare_all
    from etude.rollout.report import load, require_alike

    if len(command.runs) < 2:
        raise UserError("Two evaluations at least are needed: etude eval compare RUN_A RUN_B.")
    names = _names(command.runs)
    if len(set(names)) < len(names):
        raise UserError("One evaluation is named twice; compare it with others: etude eval compare RUN_A RUN_B.")
    reports = {name: load(path) for name, path in zip(names, command.runs, strict=True)}
    if not command.any_env:
        require_alike(reports)
    found = compare_all(reports)
    console = Console(file=sys.stderr if command.json else None, highlight=False)
    for one in found:
        console.print(_table(one))
        for line in _lines(one, reports):
            console.print(line, soft_wrap=True, markup=False)
    if len(found) > 1:
        console.print(f"p is adjusted for {len(found)} comparisons (Holm).")
    if command.json:
        print(json.dumps([one.to_json() for one in found]))
    return 0


def _lines(found: Comparison, reports: dict[str, Report]) -> list[str]:
    lines = ["* the interval leaves out 0"] if any(metric.is_shown for metric in found.metrics.values()) else []
    if found.num_left_out:
        lines.append(f"{found.num_left_out} rollouts in scenes that only one of them ran in are left out.")
    return [*lines, _settings(reports[found.first], reports[found.second]), found.verdict]


def _names(runs: tuple[Path, ...]) -> list[str]:
    """Call each run by its folder's name, or by letters where names are the same."""
    folders = [path if path.is_dir() else path.parent for path in runs]
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(path) for path in runs]


def _table(found: Comparison) -> Table:
    from rich.table import Table

    table = Table("", found.first, found.second, "difference [95 %]", box=None)
    success = found.success
    table.add_row(
        "success",
        f"{success.first:.0%} of {found.n[0]}",
        f"{success.second:.0%} of {found.n[1]}",
        f"{100 * success.difference:+.0f} points \\[{100 * success.low:+.0f} to {100 * success.high:+.0f}]",
    )
    for name, metric in found.metrics.items():
        table.add_row(_LABELS[name], f"{metric.first:.4g}", f"{metric.second:.4g}", _interval(metric))
    return table


def _interval(metric: Difference) -> str:
    mark = " *" if metric.is_shown else ""
    return f"{metric.difference:+.3g} \\[{metric.low:+.3g} to {metric.high:+.3g}]{mark}"


def _settings(first: Report, second: Report) -> str:
    """Say what else the two have not in common."""
    from etude.rollout.report import differences

    found = {
        f"{part}.{name}": values
        for part in ("environment", "policy", "machine")
        for name, values in differences(getattr(first, part), getattr(second, part)).items()
    }
    if "policy.path" in found:
        found.pop("policy.sha256", None)
    if "policy.type" in found:  # every value of another kind of policy is another
        found = {name: values for name, values in found.items() if not name.startswith("policy.config.")}
    parts = [f"{name} ({one} and {other})" for name, (one, other) in found.items()]
    more = f", and {len(parts) - _MOST_SETTINGS} more" if len(parts) > _MOST_SETTINGS else ""
    return f"They differ in {', '.join(parts[:_MOST_SETTINGS])}{more}." if parts else "Their settings are the same."
