"""What commands print: plain sentences, and a progress bar on anything that takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Tell the user something; standard output is kept for results."""
    console.print(text, soft_wrap=True, markup=False)


@contextmanager
def progress(description: str, total: int) -> Generator[ProgressLine]:
    """Show a bar while a block runs: done of total, time spent, time left, and a changing note."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, transient=False) as bar:
        line = ProgressLine(bar, description, total)
        yield line


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
        if not sys.stderr.isatty() and tenth > self._told:
            self._told = tenth
            say(f"{self._description} {done}/{self._total} {note}")
