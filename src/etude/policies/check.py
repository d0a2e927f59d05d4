"""Whether a checkpoint is sound: complete, its weights in place, its statistics sane, its answer the old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from etude.core.errors import EtudeError, NoCheckpoint
from etude.core.stats import Stats
from etude.policies import checkpoint, lerobot
from etude.policies.loaded import LoadedPolicy
from etude.transforms import pipeline
from etude.transforms.normalize import BOUNDS, Mode, Normalize, Unnormalize

GOLDEN_TOLERANCE = 1e-4
"""Largest difference, as a share of the largest action, between the machine that saved a policy and this one."""
OURS = (
    checkpoint.CONFIG, checkpoint.MODEL, checkpoint.SPECS, checkpoint.GOLDEN, checkpoint.CARD, pipeline.JSON,
    pipeline.TENSORS,
)  # fmt: skip
LEROBOTS = (lerobot.CONFIG, lerobot.MODEL)


@dataclass
class Report:
    """What is wrong with a checkpoint, and what may be worth knowing."""

    problems: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])


def check(folder: Path, *, device: str = "cpu") -> Report:
    """Look at everything that can be looked at without a robot; raise `NoCheckpoint` where there is nothing to."""
    report = Report()
    try:
        folder = checkpoint.find(folder)
        is_ours = (folder / checkpoint.SPECS).exists() or (folder / pipeline.JSON).exists()
        missing = [name for name in (OURS if is_ours else LEROBOTS) if not (folder / name).is_file()]
        report.problems += [f"{folder / name} is missing." for name in missing]
        loaded = checkpoint.load(folder, device=device)
    except NoCheckpoint:
        raise
    except EtudeError as error:
        details = getattr(error, "details", ())
        report.problems += [f"{folder / checkpoint.MODEL}: {one}" for one in details] or [str(error)]
        return report
    _look_at_weights(loaded, report)
    _look_at_stats(loaded, report)
    if not report.problems:
        _ask_again(folder, is_ours, report)
    return report


def _look_at_weights(loaded: LoadedPolicy, report: Report) -> None:
    assert isinstance(loaded.policy, nn.Module)
    for name, value in loaded.policy.state_dict().items():
        if not value.is_floating_point():
            continue
        bad = int((~torch.isfinite(value)).sum())
        if bad:
            report.problems.append(f"{bad} of {value.numel()} values of {name} are not finite.")


def _look_at_stats(loaded: LoadedPolicy, report: Report) -> None:
    for step in (*loaded.pipeline.inputs, *loaded.pipeline.outputs):
        if not isinstance(step, Normalize | Unnormalize):
            continue
        for key, mode in step.modes.items():
            if mode is Mode.IDENTITY:
                continue
            problem, note = _oddity(mode, step.stats[key])
            if problem and (told := f"The statistics of '{key}' are not sane: {problem}.") not in report.problems:
                report.problems.append(told)
            if note and (told := f"'{key}': {note}") not in report.notes:
                report.notes.append(told)


def _oddity(mode: Mode, stats: Stats) -> tuple[str, str]:
    """Give what is impossible about statistics, and what is only strange."""
    if mode is Mode.MEAN_STD:
        spread, word = stats.std, "std"
        is_finite = np.isfinite(stats.mean).all() and np.isfinite(stats.std).all()
    else:
        names = BOUNDS[mode]
        low, high = (stats.quantiles[name] if name[0] == "q" else getattr(stats, name) for name in names)
        spread, word = high - low, f"{names[1]} - {names[0]}"
        is_finite = np.isfinite(spread).all()
    if not is_finite:
        return f"{mode.name} needs {word}, which is not finite", ""
    if (spread < 0).any():
        return f"{word} is negative at {_places(spread < 0)}", ""
    if (spread == 0).any():
        return (
            "",
            f"never changed in training at {_places(spread == 0)}, so any other value there is far off the scale.",
        )
    return "", ""


def _places(where: np.ndarray) -> str:
    return ", ".join(map(str, np.flatnonzero(where)))


def _ask_again(folder: Path, is_ours: bool, report: Report) -> None:
    if not is_ours:
        report.notes.append("LeRobot stores no answer to compare with; `etude policy import` adds one.")
        return
    difference = checkpoint.verify(folder)
    if not difference <= GOLDEN_TOLERANCE:
        report.problems.append(
            f"It gives another chunk than when it was saved: off by {difference:.1e} of its largest action, and "
            f"{GOLDEN_TOLERANCE:.0e} would do."
        )
