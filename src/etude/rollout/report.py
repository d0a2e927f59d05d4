"""What an evaluation leaves behind: every rollout, and every setting that moved the result (`eval.json`)."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etude.core.codec import decode, unversioned, versioned
from etude.core.errors import UserError
from etude.core.files import write_json
from etude.rollout.evaluate import Score
from etude.rollout.metrics import Result

FILE = "eval.json"
_PACKAGES = ("etude", "numpy", "torch", "mujoco", "gymnasium", "gym-pusht", "gym-aloha", "pymunk", "dm_control")


@dataclass(frozen=True, kw_only=True)
class Report:
    """The rollouts of one evaluation and what they depend on."""

    environment: Mapping[str, Any]
    """Its type and every value of its config."""
    policy: Mapping[str, Any]
    """The checkpoint, its fingerprint, and how its chunks are played."""
    machine: Mapping[str, Any]
    """Device, precision, threads and versions, which may move the last digits."""
    score: Score

    def save(self, folder: Path) -> Path:
        """Write `eval.json` into `folder`; give the file."""
        write_json(
            folder / FILE,
            versioned(
                {
                    "summary": self.score.to_json(),
                    "environment": self.environment,
                    "policy": self.policy,
                    "machine": self.machine,
                    "rollouts": [result.to_json() for result in self.score.results],
                }
            ),
        )
        return folder / FILE


def load(path: Path) -> Report:
    """Read an evaluation, from its folder or its file; raise `UserError` when there is none."""
    file = path / FILE if path.is_dir() else path
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not an evaluation: {file.name} cannot be read ({error}).") from error
    try:
        stored = unversioned(stored, FILE)
        results = decode(list[Result], stored["rollouts"], where=f"{FILE}: rollouts")
        parts = {name: dict(stored[name]) for name in ("environment", "policy", "machine")}
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is not an evaluation: it has no {error}. Run `etude eval` again.") from error
    return Report(**parts, score=Score(results=tuple(results)))


def versions() -> dict[str, str]:
    """Name the versions that a result may depend on."""
    found: dict[str, str] = {"python": platform.python_version(), "system": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Write nested settings as one list: `task.half_m`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Name the settings that two have not alike, with both values; None stands for one that is not there."""
    first, second = flat(one), flat(other)
    names = [*first, *(name for name in second if name not in first)]
    return {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}


def require_alike(reports: Mapping[str, Report]) -> None:
    """Raise `UserError` unless all ran in the same environment."""
    (name, first), *others = reports.items()
    for other, report in others:
        if found := differences(first.environment, report.environment):
            told = ", ".join(f"{key} is {one!r} and {two!r}" for key, (one, two) in found.items())
            raise UserError(
                f"{name} and {other} did not run in the same environment: {told}. A difference could come from that; "
                "--any_env compares them anyway."
            )
