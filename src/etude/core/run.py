"""A run: one execution of a command, with its folder, config and events. This machine keeps a list of them."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etude.core.errors import UserError
from etude.core.events import EventLog, read_events
from etude.core.files import write_json


def home() -> Path:
    """Where Etude keeps what it remembers on this machine: `$ETUDE_HOME`, else `~/.local/share/etude`."""
    return Path(os.environ.get("ETUDE_HOME", Path.home() / ".local" / "share" / "etude"))


@dataclass(frozen=True)
class Run:
    """A run's folder: `config.json`, which can be run again, and `events.jsonl`."""

    folder: Path

    @property
    def events(self) -> Path:
        """The file of events."""
        return self.folder / "events.jsonl"

    def config(self) -> dict[str, Any]:
        """Read the stored command; empty when there is none."""
        try:
            return json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError):
            return {}

    def log(self, kind: str, **values: Any) -> None:
        """Append one event."""
        log = EventLog(self.events)
        log.write(kind, **values)
        log.close()


def start(command: str, config: dict[str, Any], folder: Path | None = None) -> Run:
    """Make the folder of a new run, or take up `folder` again, store the command and put it on the list.

    Raises `UserError` where `check_folder` does.
    """
    run = Run((folder or default_folder(command)).absolute())
    check_folder(command, run.folder)
    run.folder.mkdir(parents=True, exist_ok=True)
    write_json(run.folder / "config.json", {"command": command, "config": config})
    _remember(run)
    run.log("started", command=command)
    return run


def check_folder(command: str, folder: Path) -> None:
    """Raise `UserError` where a run of `command` cannot write, or would write into what is no run of its kind."""
    stored = Run(folder).config().get("command", command)
    if stored != command:
        raise UserError(f"{folder} holds a run of `etude {stored}`. Choose another --output_dir.")
    if (folder / "meta" / "info.json").exists():
        raise UserError(f"{folder} is a dataset. Choose another --output_dir.")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise UserError(f"{there} is a file, so no run can be written to {folder}. Choose another --output_dir.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"You may not write to {there}. Choose another --output_dir.")


def default_folder(command: str) -> Path:
    """Name a fresh folder: `outputs/<command>/<date>/<time>`."""
    now = datetime.datetime.now(tz=datetime.UTC).astimezone()
    return Path("outputs") / command / now.strftime("%Y-%m-%d") / now.strftime("%H-%M-%S")


def all_runs() -> Iterator[Run]:
    """List the runs whose folders still exist, oldest first."""
    for event in read_events(home() / "runs.jsonl"):
        if Path(event["folder"]).is_dir():
            yield Run(Path(event["folder"]))


def _remember(run: Run) -> None:
    if any(known.folder == run.folder for known in all_runs()):
        return
    log = EventLog(home() / "runs.jsonl")
    log.write("run", folder=str(run.folder))
    log.close()
