"""What `etude train` shows: a bar while it runs, and at the end how the policy does on episodes it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from etude.cli.console import ProgressLine, say
from etude.core.events import read_events
from etude.core.run import start
from etude.train.watchers import Run, Watcher

HORIZONS = {"validation_played": "the actions that are played", "validation": "whole chunks"}


class Listed(Watcher):
    """Stores the command in the run's folder and puts the run on the list, once nothing speaks against it."""

    def __init__(self, command: Mapping[str, Any], folder: Path) -> None:
        self._command, self._folder = dict(command), folder

    def begin(self, run: Run) -> None:
        """Store and list it; a refused attempt to resume leaves what is stored."""
        del run
        start("train", self._command, self._folder)


class Bar(Watcher):
    """Moves the progress bar: by updates, or by seconds where the run is as long as a clock says."""

    def __init__(self, line: ProgressLine, *, is_timed: bool = False) -> None:
        self._line, self._is_timed = line, is_timed

    def step(self, step: int, values: Mapping[str, float]) -> None:
        """Show the loss, the speed and what is left."""
        told = f"loss {values['loss']:.4f}, {values['samples_per_s']:.0f} samples/s, {values['eta_s']:.0f} s left"
        if self._is_timed:
            self._line.update(int(values["spent_s"]), f"s, update {step}, {told}")
        else:
            self._line.update(step, told)


def report(events: Path, held_out: int) -> None:
    """Say how far predicted actions are from demonstrated ones, beside two guesses that know nothing."""
    last = {event["kind"]: event for event in read_events(events) if event["kind"] in HORIZONS}
    for kind, score in last.items():
        hold = f", holding the last state: {score['hold_state']:.4f}" if score["hold_state"] is not None else ""
        say(
            f"Open-loop error of {HORIZONS[kind]} on {held_out} held-out episodes, in the dataset's units: "
            f"{score['policy']:.4f} (always the mean action: {score['mean_action']:.4f}{hold})"
        )
