"""`etude dataset split`: one dataset into several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from etude.cli.editing import episodes_in, held, pairs_in, shown
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.data.edit.source import Source


@dataclass(frozen=True, kw_only=True)
class DatasetSplit:
    """Make new datasets of some of the episodes each; the dataset itself stays as it is."""

    root: Positional[Path]
    """The dataset's folder."""
    into: str
    """Episodes, as train=0-39,val=40-49, or fractions, as train=0.8,val=0.2."""
    output: Path | None = None
    """Folder of the new datasets' folders; without it they lie beside the dataset, as ROOT_train."""


COMMAND = DatasetSplit


def run(command: DatasetSplit) -> int:
    """Split."""
    from etude.data.edit import apply, edits
    from etude.data.edit.source import Source

    source = Source(command.root)
    plans = {_folder(command, name): plan for name, plan in edits.parts(source, _groups(source, command.into)).items()}
    with shown("split") as tell:
        apply.create(plans, "split", tell)
    for folder, plan in plans.items():
        print(f"{folder}: {held(plan)}.")
    return 0


def _folder(command: DatasetSplit, name: str) -> Path:
    root = command.root.absolute()
    return command.output / name if command.output else root.with_name(f"{root.name}_{name}")


def _groups(source: Source, text: str) -> Mapping[str, Collection[int]]:
    from etude.data.edit.edits import by_fractions

    words: list[str] = []
    for word in text.split(","):  # a comma also stands between episode numbers: train=0-3,7,val=4-6
        if "=" in word or not words:
            words.append(word)
        else:
            words[-1] += f",{word}"
    given = pairs_in(words, "train=0-39,val=40-49 or train=0.8,val=0.2")
    if not any("." in share for share in given.values()):
        return {name: episodes_in(share) for name, share in given.items()}
    try:
        return by_fractions(source, {name: float(share) for name, share in given.items()})
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"'{text}' should be all episode numbers or all fractions.") from None
