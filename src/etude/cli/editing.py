"""What the commands that edit datasets share: how they read their options, show their progress and report."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etude.cli.console import ProgressLine, progress
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.data.edit.plan import Plan, Tell
    from etude.data.edit.source import Source

Edit = tuple[str, "Callable[[Source], Plan]"]
"""What an edit does, in a few words, and what it keeps of a dataset."""
_PATIENCE_S = 1.0
"""How long an edit may take before its progress is shown."""


def run_edit(command: Any, edit_of: Callable[[Any], Edit]) -> int:
    """Edit the dataset of a command and say what it is now; or, with its `undo`, take the last edit back."""
    from etude.data.edit import apply

    name = f"etude dataset {type(command).__module__.rpartition('dataset_')[2].replace('_', '-')}"
    if command.undo:
        if command != replace(type(command)(root=command.root), undo=True):
            raise UserError("--undo takes back the last edit, whatever it was, and goes with no other option.")
        print(f"{command.root}: took back '{apply.undo(command.root)}'. The same again brings it back.")
        return 0
    what, plan_of = edit_of(command)
    with shown(what) as tell:
        plan = apply.edit(command.root, what, plan_of, tell)
    print(f"{command.root}: {what}. It has {held(plan)} now. To take this back: {name} {command.root} --undo")
    return 0


def held(plan: Plan) -> str:
    """Say how much a dataset holds."""
    return f"{len(plan.kept)} episodes, {plan.starts[-1]} frames"


@contextmanager
def shown(what: str) -> Generator[Tell]:
    """Show a progress bar once an edit takes longer than a moment."""
    began = time.perf_counter()
    with ExitStack() as bars:
        bar: ProgressLine | None = None

        def tell(done: int, total: int) -> None:
            nonlocal bar
            if bar is None and time.perf_counter() - began > _PATIENCE_S:
                bar = bars.enter_context(progress(f"{what} [%]", 100))
            if bar:
                bar.update(100 * done // max(total, 1))

        yield tell


def episodes_in(text: str) -> list[int]:
    """Read `3,5-7` as 3, 5, 6, 7."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise UserError(f"'{text}' should be episode numbers such as 3,5-7; '{part}' is none.")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def pairs_in(words: Sequence[str], example: str) -> dict[str, str]:
    """Read words such as `OLD=NEW`."""
    pairs: dict[str, str] = {}
    for word in words:
        old, _, new = (part.strip() for part in word.partition("="))
        if not old or not new:
            raise UserError(f"'{word}' should look like {example}.")
        if old in pairs:
            raise UserError(f"'{old}' is given twice.")
        pairs[old] = new
    return pairs
