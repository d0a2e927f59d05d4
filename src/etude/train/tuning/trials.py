"""Trials: training runs in processes of their own, on this machine or where Ray has room."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from etude.core.errors import EtudeError, MissingExtra
from etude.core.events import read_events

LOG = "log.txt"
_LONGEST_SAVE_S = 120


class Trial(Protocol):
    """A training run that is going on."""

    def scores(self) -> dict[int, float]:
        """Give what has been measured so far, by update."""
        ...

    def exit_code(self) -> int | None:
        """Give how it ended; none while it goes on."""
        ...

    def last_words(self) -> str:
        """Give the last line it said."""
        ...

    def stop(self) -> None:
        """Let it save and end, and wait for that."""
        ...


class Place(Protocol):
    """Where trials run."""

    def start(self, words: Sequence[str], folder: Path, metric: str) -> Trial:
        """Start `etude` with `words`, a training run into `folder` whose `metric` counts."""
        ...

    def close(self) -> None:
        """Give back what was taken."""
        ...


class Process:
    """A trial in a process on this machine."""

    def __init__(self, words: Sequence[str], folder: str, metric: str, cwd: str) -> None:
        self._folder, self._metric = Path(folder), metric
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / LOG).open("wb") as log:
            # In a session of its own Ctrl-C does not reach it twice: by the keyboard and by `stop`.
            self._process = subprocess.Popen(  # noqa: S603  our own command
                [sys.executable, "-m", "etude", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True,
            )  # fmt: skip

    def scores(self) -> dict[int, float]:
        """Read the run's events."""
        events = read_events(self._folder / "events.jsonl")
        return {event["step"]: event[self._metric] for event in events if event.get(self._metric) is not None}

    def exit_code(self) -> int | None:
        """Ask the process."""
        return self._process.poll()

    def last_words(self) -> str:
        """Read its log."""
        lines = (self._folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing."

    def stop(self) -> None:
        """Interrupt it; kill it when it takes too long."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_LONGEST_SAVE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Here:
    """This machine."""

    def start(self, words: Sequence[str], folder: Path, metric: str) -> Trial:
        """Start a process."""
        return Process(words, str(folder), metric, str(Path.cwd()))

    def close(self) -> None:
        """Nothing was taken."""


class OnRay:
    """A Ray cluster, or one of this machine's own, whose machines share the folders of data and trials.

    Each trial is an actor that has `num_cpus` processors, and a GPU where there are any; it waits until they are free.
    """

    def __init__(self, address: str, num_cpus: int) -> None:
        """Join the cluster at `address`, or start one for "local"; raise `EtudeError` when it cannot be reached."""
        try:
            import ray  # noqa: PLC0415  an extra
        except ImportError as error:
            raise MissingExtra("Searching on Ray", "ray") from error
        self._ray, self._num_cpus = ray, num_cpus
        options: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            raise EtudeError(f"--ray={address} could not be joined: {error}") from error

    def start(self, words: Sequence[str], folder: Path, metric: str) -> Trial:
        """Start an actor."""
        num_gpus = 1 if self._ray.cluster_resources().get("GPU") else 0
        remote = self._ray.remote(num_cpus=self._num_cpus, num_gpus=num_gpus)(Process)
        return _RayTrial(self._ray, remote.remote(list(words), str(folder), metric, str(Path.cwd())))

    def close(self) -> None:
        """Leave the cluster."""
        self._ray.shutdown()


class _RayTrial:
    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor

    def scores(self) -> dict[int, float]:
        return self._ray.get(self._actor.scores.remote())

    def exit_code(self) -> int | None:
        return self._ray.get(self._actor.exit_code.remote())

    def last_words(self) -> str:
        return self._ray.get(self._actor.last_words.remote())

    def stop(self) -> None:
        self._ray.get(self._actor.stop.remote())
        self._ray.kill(self._actor)
