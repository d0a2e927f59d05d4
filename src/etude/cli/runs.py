"""`etude runs`: what was run on this machine."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from etude.core.events import read_events
from etude.core.run import Run, all_runs


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List the runs made on this machine, newest first."""

    limit: int = 20
    """How many to list."""


COMMAND = Runs


def run(command: Runs) -> int:
    """Print one line per run: when, what, how it stands, where."""
    newest = list(all_runs())[::-1][: command.limit]
    if not newest:
        print("No runs yet. Try: etude demo")
    for entry in newest:
        print(_line(entry))
    return 0


def _line(entry: Run) -> str:
    events = list(read_events(entry.events))
    began = datetime.datetime.fromtimestamp(events[0]["time"]).astimezone() if events else None
    when = began.strftime("%Y-%m-%d %H:%M") if began else "unknown"
    return f"{when:<16}  {entry.config().get('command', '?'):<7} {_standing(events):<34} {entry.folder}"


def _standing(events: list[dict]) -> str:
    last = events[-1] if events else {}
    if "success_rate" in last:
        return f"{last['success_rate']:.0%} of {last['n']} [{last['low']:.0%}, {last['high']:.0%}]"
    steps = [event for event in events if "loss" in event]
    if steps:
        return f"{last.get('kind')}: step {steps[-1].get('step')}, loss {steps[-1]['loss']:.4f}"
    if "episodes" in last:
        return f"{last['episodes']} episodes"
    return str(last.get("kind", "empty"))
