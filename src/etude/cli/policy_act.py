"""`etude policy act`: one frame through a policy's whole pipeline."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.options import open_policy
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class PolicyAct:
    """Read a frame from an npz file, ask the policy as at the start of an episode, and write its chunk.

    The file's keys are dataset keys (`observation.state`, `observation.images.front`), pictures uint8 (height, width,
    channels). The chunk is written under `action`, (time, action), in the dataset's units.
    """

    checkpoint: Positional[Path]
    """The checkpoint folder: Etude's or LeRobot's."""
    input: Path
    """The frame, an npz file."""
    output: Path
    """Where the chunk goes, an npz file."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""


COMMAND = PolicyAct


def run(command: PolicyAct) -> int:
    """Act once."""
    import numpy as np

    from etude.core import frame
    from etude.core.files import atomic

    policy = open_policy(command.checkpoint, command.device)
    try:
        with np.load(command.input, allow_pickle=False) as stored:
            seen = {key: stored[key] for key in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"{command.input} cannot be read as an npz file of arrays: {error}") from error
    frame.check(policy.observation, seen)
    chunk = policy.act(seen)
    with atomic(command.output) as draft, draft.open("wb") as file:
        np.savez(file, action=chunk)
    print(f"{command.output}: action {chunk.dtype}{list(chunk.shape)}")
    return 0
