"""What `etude dataset check` tells of how each episode was shown, and which are unlike the others."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etude.cli.console import progress
from etude.cli.options import open_policy

if TYPE_CHECKING:
    from etude.data.dataset import Dataset
    from etude.data.outliers import Outlier
    from etude.data.quality import EpisodeQuality

_LISTED = 10
"""Outliers that are printed; JSON has all."""
_FRAMES = 128
"""Frames of an episode that a policy's error is measured on."""


def errors_of(path: Path, dataset: Dataset) -> dict[int, float]:
    """Measure a policy's error in every episode: the mean over the frames, the times and the joints of its chunks."""
    from etude.train.open_loop import POLICY, measure

    loaded = open_policy(path, "cpu")
    loaded.check_fits(dataset.specs, dataset.specs["action"], str(dataset.root))
    errors: dict[int, float] = {}
    with progress("measuring the policy's error", len(dataset.episodes)) as line:
        for number in range(len(dataset.episodes)):
            found = measure(loaded, dataset, dataset.episodes.chosen([number]), most_frames=_FRAMES)
            errors[number] = found.mean(POLICY)
            line.update(number + 1)
    return errors


def print_episodes(found: Sequence[EpisodeQuality], errors: Mapping[int, float] | None) -> None:
    """Print a row for each episode."""
    from rich.console import Console
    from rich.table import Table

    table = Table("episode", "seconds", "pauses", "idle", "shaky", "late frames", *(["error"] if errors else []))
    for each in found:
        cells = [str(each.episode), f"{each.seconds:.1f}", str(each.pauses), f"{each.idle:.0%}", f"{each.shake:.0%}"]
        table.add_row(*cells, str(each.late), *([f"{errors[each.episode]:.3g}"] if errors else []))
    Console(highlight=False, width=None if sys.stdout.isatty() else 100).print(table)
    print("Idle: share of frames in which the command stays as it was, for 0.1 s or longer.")
    print("Shaky: share of what the command travels that goes to and fro within 0.3 s.")


def print_outliers(dataset: Dataset, found: Sequence[Outlier]) -> None:
    """Print a sentence for each outlier, and what to do about them."""
    from etude.data.remedy import ranges

    if not found:
        print("No episode is unlike the others.")
        return
    for each in found[:_LISTED]:
        print(each)
    if len(found) > _LISTED:
        print(f"{len(found) - _LISTED} more are unlike the others, less so.")
    print(f"To look at one: etude dataset viz {dataset.root} --episode={found[0].episode}")
    numbers = ranges(sorted(each.episode for each in found[:_LISTED]))
    print(f"To leave out what is a mistake: etude dataset delete {dataset.root} --episodes={numbers}")
