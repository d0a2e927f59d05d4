"""`etude policy check`: is a checkpoint sound?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli import verdict


@dataclass(frozen=True, kw_only=True)
class PolicyCheck:
    """Check that a checkpoint is complete, that it fits, and that it acts as it did; exit code 0 when so, 1 when not.

    All files are there, every tensor fits and is finite, statistics are sane, and the frame that was stored with the
    policy gets the chunk that was stored with it.
    """

    checkpoint: Positional[Path]
    """The checkpoint folder: Etude's or LeRobot's."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""
    json: bool = False
    """Print one JSON object with `problems` and `notes`."""


COMMAND = PolicyCheck


def run(command: PolicyCheck) -> int:
    """Print each problem, and what else may be worth knowing."""
    from etude.policies.check import check

    report = check(command.checkpoint, device=command.device)
    return verdict.give(report, f"{command.checkpoint} is sound.", as_json=command.json)
