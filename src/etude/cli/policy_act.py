"""`etude policy act`: one frame through a policy's whole pipeline."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.options import open_policy
from etude.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from etude.core.frame import Frame
    from etude.policies.loaded import LoadedPolicy


@dataclass(frozen=True, kw_only=True)
class PolicyAct:
    """Read a frame from an npz file, ask the policy as at the start of an episode, and write its chunk.

    The file's keys are dataset keys (`observation.state`, `observation.images.front`), pictures uint8 (height, width,
    channels). A policy that looks back sees the frame repeated, or takes entries with a first axis of time. One that
    samples takes `noise` (num_noise, action), with DDPM that of its steps after it, or draws it. The chunk is written
    under `action`, (time, action), in the dataset's units.
    """

    checkpoint: Positional[Path]
    """The checkpoint folder: Etude's or LeRobot's."""
    input: Path
    """The frame, an npz file."""
    output: Path
    """Where the chunk goes, an npz file."""
    device: str = "cpu"
    """Where the policy runs: cpu, cuda, mps."""
    rename_map: str = ""
    """Which of its keys is which of the policy's: '{"observation.images.top": "observation.images.front"}'."""


COMMAND = PolicyAct


def run(command: PolicyAct) -> int:
    """Act once."""
    import numpy as np

    from etude.core.files import atomic

    policy = open_policy(command.checkpoint, command.device, command.rename_map)
    frame = _read(command.input)
    problem = _problem(policy, frame)
    if problem:
        raise UserError(f"{command.input}: {problem}")
    chunk = policy.act({key: _as_told(policy, key, value) for key, value in frame.items()})
    with atomic(command.output) as draft, draft.open("wb") as file:
        np.savez(file, action=chunk)
    print(f"{command.output}: action {chunk.dtype}{list(chunk.shape)}")
    return 0


def _read(path: Path) -> Frame:
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is no npz file of arrays, such as numpy.savez writes.") from error


def _problem(policy: LoadedPolicy, frame: Frame) -> str:
    """Say what is wrong with a frame beyond its shapes."""
    import numpy as np

    from etude.core.spec import Spec
    from etude.policies.policy import NOISE
    from etude.policies.renaming import lacking

    there = {key: Spec(shape=value.shape, dtype=str(value.dtype)) for key, value in frame.items()}
    lacks = lacking(policy.observation, there, "it")
    if lacks:
        return lacks
    for key, value in frame.items():
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            return f"'{key}' holds values that are not finite."
    return _problem_of_noise(policy, frame[NOISE].shape) if NOISE in frame else ""


def _problem_of_noise(policy: LoadedPolicy, shape: tuple[int, ...]) -> str:
    import numpy as np

    from etude.policies.policy import NOISE

    whole = policy.example_noise(np.random.default_rng(0)).get(NOISE)
    if whole is None:
        return "it holds noise, and this policy does not sample."
    first = (policy.config.num_noise, *whole.shape[1:])
    if shape in (first, whole.shape):
        return ""
    steps = f", or {list(whole.shape)} with that of all steps" if whole.shape != first else ""
    return f"noise should be of shape {list(first)}{steps}, got {list(shape)}."


def _as_told(policy: LoadedPolicy, key: str, value: np.ndarray) -> np.ndarray:
    """Give numbers of another width the policy's: numpy makes float64 of what one types."""
    import numpy as np

    wanted = policy.observation[key].dtype if key in policy.observation else "float32"
    is_number = np.issubdtype(value.dtype, np.floating) and np.issubdtype(wanted, np.floating)
    return value.astype(wanted) if is_number else value
