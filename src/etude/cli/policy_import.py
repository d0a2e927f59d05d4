"""`etude policy import`: a LeRobot checkpoint as one of ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class PolicyImport:
    """Make an Etude checkpoint of LeRobot's, of any age, with a golden frame and chunk to check it by.

    LeRobot's checkpoints also run as they are.
    """

    checkpoint: Positional[Annotated[Path, arg(metavar="CHECKPOINT")]]
    """LeRobot's folder: `pretrained_model`, or the one around it."""
    output: Positional[Annotated[Path, arg(metavar="OUTPUT")]]
    """The folder to write; it should not exist yet."""
    stats_of: str = ""
    """Whose statistics to take, where an old checkpoint learned from several datasets."""


COMMAND = PolicyImport


def run(command: PolicyImport) -> int:
    """Import."""
    from etude.cli.console import say
    from etude.core.errors import UserError
    from etude.policies import checkpoint, lerobot
    from etude.policies.files import require_new

    require_new(command.output)
    folder = checkpoint.find(command.checkpoint)
    if (folder / checkpoint.SPECS).exists():
        raise UserError(f"{folder} is an Etude checkpoint already; copy it, or export it for LeRobot.")
    loaded = lerobot.load(folder, device="cpu", dataset=command.stats_of)
    checkpoint.save(command.output, loaded)
    if not loaded.action.names:
        say("LeRobot stores no joint names with a policy, so their order cannot be checked against a robot's.")
    say(f"{command.output}: an Etude checkpoint. Look at it with: etude policy info {command.output}")
    return 0
