"""How a check ends: what is wrong, what else may be worth knowing, and an exit code that tells one from the other."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etude.data.check import Report as DatasetReport
    from etude.policies.check import Report as PolicyReport


def give(report: DatasetReport | PolicyReport, sound: str, *, as_json: bool) -> int:
    """Print each problem and each note, or that all is `sound`; exit code 1 when there is a problem."""
    if as_json:
        print(json.dumps(asdict(report)))
        return 1 if report.problems else 0
    for problem in report.problems:
        print(problem)
    for note in report.notes:
        print(f"Note: {note}")
    if not report.problems:
        print(sound)
    return 1 if report.problems else 0
