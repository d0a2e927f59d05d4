"""`etude policy export`: a checkpoint for LeRobot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class PolicyExport:
    """Write a policy so that LeRobot loads it. What LeRobot cannot express is refused by name, never left out."""

    checkpoint: Positional[Annotated[Path, arg(metavar="CHECKPOINT")]]
    """The checkpoint folder: Etude's, or an old one of LeRobot's to bring to its present layout."""
    output: Positional[Annotated[Path, arg(metavar="OUTPUT")]]
    """The folder to write; it should not exist yet."""


COMMAND = PolicyExport


def run(command: PolicyExport) -> int:
    """Export."""
    from etude.cli.console import say
    from etude.policies.checkpoint import load
    from etude.policies.files import require_new
    from etude.policies.lerobot import export

    require_new(command.output)
    export(load(command.checkpoint), command.output)
    say(f"{command.output}: in LeRobot's layout. There: --policy.path={command.output}")
    return 0
