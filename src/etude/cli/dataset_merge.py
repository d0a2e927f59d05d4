"""`etude dataset merge`: several datasets into one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import held, shown


@dataclass(frozen=True, kw_only=True)
class DatasetMerge:
    """Put the episodes of several datasets, of the same robot, frame rate and keys, into a new one."""

    roots: Positional[tuple[Path, ...]]
    """The datasets' folders; they stay as they are."""
    output: Path
    """The new dataset's folder."""


COMMAND = DatasetMerge


def run(command: DatasetMerge) -> int:
    """Merge."""
    from etude.data.edit import apply, edits
    from etude.data.edit.source import Source

    plan = edits.merged([Source(root) for root in command.roots])
    with shown("merge") as tell:
        apply.create({command.output: plan}, "merge", tell)
    print(f"{command.output}: {held(plan)}, of {len(command.roots)} datasets.")
    return 0
