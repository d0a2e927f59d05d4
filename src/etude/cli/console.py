"""What commands print: plain sentences, and a progress bar on anything that takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def say(text: str) -> None:
    """Tell the user something; standard output is kept for results."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress(description: str, total: int) -> Generator[ProgressLine]:
    """Show a bar while a block runs: done of total, time spent, time left, and a changing note."""
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True, highlight=False)
    with rich.Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield ProgressLine(bar, description, total)


class ProgressLine:
    """One progress bar. Where there is no terminal, it prints a line at every tenth instead."""

    def __init__(self, bar: Progress, description: str, total: int) -> None:
        self._bar, self._description, self._total = bar, description, total
        self._task = bar.add_task(description, total=total, note="")
        self._told = 0

    def update(self, done: int, note: str = "") -> None:
        """Show that `done` of the total are done."""
        self._bar.update(self._task, completed=done, note=note)
        tenth = 10 * done // max(self._total, 1)
        if self._bar.disable and tenth > self._told:
            self._told = tenth
            say(f"{self._description} {done}/{self._total} {note}")
