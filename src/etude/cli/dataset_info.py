"""`etude dataset info`: what a dataset holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

_MOST_TASKS, _MOST_NAMES = 12, 6


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Say what a dataset holds."""

    root: Positional[Path]
    """The dataset's folder."""
    json: bool = False
    """Print one JSON object."""


COMMAND = DatasetInfo


def run(command: DatasetInfo) -> int:
    """Print the summary."""
    from etude.data import open_dataset
    from etude.data.info import summary

    facts = summary(open_dataset(command.root))
    print(json.dumps(facts) if command.json else "\n".join(_lines(facts)))
    return 0


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['root']}: {facts['format']}{', ' + facts['robot_type'] if facts['robot_type'] else ''}"
    yield f"{facts['total_episodes']} episodes, {facts['total_frames']} frames{_durations(facts)}"
    yield from _keys(facts)
    yield from _tasks(facts)
    yield from _about(facts)
    for note in facts["notes"]:
        yield f"Note: {note}"


def _durations(facts: dict[str, Any]) -> str:
    seconds = facts["seconds"]
    if seconds is None:
        return f" at {facts['fps']} Hz"
    low, middle, high = (f"{seconds[name]:.1f}" for name in ("shortest", "median", "longest"))
    span = f"{low} s each" if low == high else f"{low} to {high} s, half of them below {middle} s"
    return f", {_long(seconds['total'])} at {facts['fps']} Hz (episodes of {span})"


def _long(seconds: float) -> str:
    """Write a duration as a person would."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{seconds:.1f} s"


def _keys(facts: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield "Keys"
    width = max(map(len, facts["features"]), default=0)
    for key, spec in facts["features"].items():
        names = facts["names"].get(key, [])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        said = facts["codec"].get(key) or ", ".join(names[:_MOST_NAMES]) + more
        yield f"  {key:<{width}}  {spec:<20}  {said}".rstrip()


def _tasks(facts: dict[str, Any]) -> Iterator[str]:
    tasks = facts["episodes_of_task"]
    yield ""
    yield f"Tasks ({len(tasks)})" if len(tasks) != 1 else "Task"
    for task, count in list(tasks.items())[:_MOST_TASKS]:
        yield f"  {count:>6} episodes  {task}"
    if len(tasks) > _MOST_TASKS:
        yield f"  and {len(tasks) - _MOST_TASKS} more; all of them with --json"
    yield ""


def _about(facts: dict[str, Any]) -> Iterator[str]:
    timing, version = facts["timing"], facts["version"]
    if timing is not None:
        rate = f", really at {timing['rate_hz']} Hz" if timing["rate_hz"] else ""
        yield f"Timing: {timing['late_frames']} of {timing['timed_frames']} frames came late{rate}"
        if timing["troubled_frames"]:
            yield f"        something went wrong at {timing['troubled_frames']} frames: see the check"
        for key, count in timing["repeated_pictures"].items():
            if count:
                yield f"        {key} repeats {count} pictures"
    if version is not None:
        undo = "; --undo of any edit takes it back" if version["can_undo"] else ""
        yield f"Edited: {version['number']} times, last: {version['last_edit']}{undo}"
    if facts["drafts"]:
        yield f"Drafts: {facts['drafts']} recordings broke off: etude dataset recover {facts['root']}"
    parts = ", ".join(f"{name} {_bytes(size)}" for name, size in facts["size_of"].items())
    yield f"Size:   {_bytes(facts['size_bytes'])} ({parts})"


def _bytes(size: int) -> str:
    if size >= 1_000_000_000:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"
