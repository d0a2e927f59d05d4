"""`etude dataset stats`: what normalisation works with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.editing import shown
from etude.core.errors import NotFound, UserError

if TYPE_CHECKING:
    from etude.core.spec import Spec
    from etude.core.stats import Stats
    from etude.data.dataset import Dataset

_COLUMNS = ("min", "q01", "q10", "q50", "q90", "q99", "max", "mean", "std")
_WIDE = 160
"""Characters of a line where there is no terminal."""
_CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True, kw_only=True)
class DatasetStats:
    """Show the statistics of a dataset; those it lacks are measured, and remembered."""

    root: Positional[Path]
    """The dataset's folder."""
    key: str = ""
    """Only this key, such as action."""
    json: bool = False
    """Print one JSON object, as LeRobot stores statistics."""
    recompute: bool = False
    """Measure again, of every episode, and write what was measured into the dataset."""
    relative_chunk: int = 0
    """Also measure actions relative to the state that chunks of this many actions start from."""

    def __post_init__(self) -> None:
        if self.relative_chunk < 0:
            raise UserError(f"relative_chunk should be the length of a chunk, got {self.relative_chunk}.")


COMMAND = DatasetStats


def run(command: DatasetStats) -> int:
    """Measure again where that is asked for; print the statistics."""
    from etude.data import open_dataset

    if command.recompute:
        from etude.data.recompute import recompute

        with shown(f"measuring {command.root.name}") as tell:
            recompute(command.root, [command.key] if command.key else [], tell)
    dataset = open_dataset(command.root)
    if command.key and command.key not in dataset.specs:
        raise NotFound("key with statistics", command.key, dataset.specs)
    found = _found(dataset, command)
    if command.json:
        print(json.dumps({name: stats.to_json() for name, (_, stats) in found.items()}))
        return 0
    for name, (spec, stats) in found.items():
        _print_table(name, spec, stats)
    return 0


def _found(dataset: Dataset, command: DatasetStats) -> dict[str, tuple[Spec, Stats]]:
    from etude.core.frame import ACTION
    from etude.data.statistics import is_complete, measured, relative_action_stats

    found: dict[str, tuple[Spec, Stats]] = {}
    if not dataset.episodes:
        raise UserError(f"{command.root} holds no episode, so there is nothing to measure.")
    for key in [command.key] if command.key else dataset.specs:
        spec = dataset.specs[key]
        with shown(f"measuring {key}") as tell:
            stored = dataset.stats[key]
            found[key] = spec, stored if is_complete(stored, spec) else measured(dataset, key, tell)
    if command.relative_chunk:
        with shown("measuring relative actions") as tell:
            stats = relative_action_stats(dataset, command.relative_chunk, tell)
        found[f"{ACTION} - state, chunks of {command.relative_chunk}"] = dataset.specs[ACTION], stats
    return found


def _print_table(name: str, spec: Spec, stats: Stats) -> None:
    from rich.console import Console
    from rich.table import Table

    is_picture = spec.is_image or spec.is_depth
    what = f"{stats.count} pictures, values from 0 to 1" if spec.is_image else f"{stats.count} frames"
    table = Table(
        title=f"{name}   [dim]{what}[/dim]", title_justify="left", box=None, pad_edge=False, header_style="dim"
    )
    table.add_column("")
    rows = {column: _values(stats, column) for column in _COLUMNS}
    for column in _COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    count = len(rows["mean"])
    names = spec.names if len(spec.names) == count else _CHANNELS[:count] if is_picture and count == 3 else range(count)
    for number, label in enumerate(names):
        table.add_row(str(label), *(f"{values[number] + 0.0:.3g}" for values in rows.values()))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    console.print(table)
    console.print()


def _values(stats: Stats, column: str) -> list[float]:
    return (stats.quantiles[column] if column in stats.quantiles else getattr(stats, column)).reshape(-1).tolist()
