"""`etude dataset rename`: give keys other names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from etude.cli.editing import Edit, pairs_in, run_edit
from etude.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class DatasetRename:
    """Rename keys: columns and cameras, wherever a dataset names them."""

    root: Positional[Path]
    """The dataset's folder."""
    names: Positional[tuple[str, ...]] = ()
    """OLD=NEW, once per key, such as observation.images.cam=observation.images.wrist."""
    undo: bool = False
    """Take back the last edit of this dataset, whatever it was."""


COMMAND = DatasetRename


def run(command: DatasetRename) -> int:
    """Rename, or undo."""
    return run_edit(command, _edit)


def _edit(command: DatasetRename) -> Edit:
    from etude.data.edit import edits

    renames = pairs_in(command.names, "OLD=NEW")
    if not renames:
        raise UserError("Say which key gets which name: OLD=NEW.")
    return f"renamed {', '.join(command.names)}", lambda source: edits.renamed(source, renames)
