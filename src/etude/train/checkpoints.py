"""The checkpoints of a run: written whole, scored, pruned, and pointed to as the last and the best."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError
from etude.core.files import write_json
from etude.policies.files import point, replacing

if sys.platform != "win32":
    import fcntl

CHECKPOINTS, LAST, BEST, STATE_FOLDER, SCORES = "checkpoints", "last", "best", "training_state", "scores.json"


class Checkpoints:
    """The folder `checkpoints/` of a run: a folder for each saved step, `last`, `best`, and the scores of all."""

    def __init__(self, run: Path, keep: int) -> None:
        self.folder, self._keep = run / CHECKPOINTS, keep

    @property
    def last(self) -> Path:
        """The link to the newest checkpoint."""
        return self.folder / LAST

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the run's folder; raise `ConfigError` while another process trains in it."""
        run = self.folder.parent
        run.mkdir(parents=True, exist_ok=True)
        if sys.platform == "win32":  # folders cannot be locked there
            yield
            return
        held = os.open(run, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(held)
            raise ConfigError(f"Another process trains in {run}. Wait for it, or choose another output_dir.") from error
        except OSError:  # a disk without locks
            pass
        try:
            yield
        finally:
            os.close(held)

    def tidy(self) -> None:
        """Drop what a save that was killed left."""
        for draft in [*self.folder.glob(".*.tmp"), *self.folder.glob(".*.old")]:
            shutil.rmtree(draft) if draft.is_dir() and not draft.is_symlink() else draft.unlink()

    @contextmanager
    def writing(self, step: int) -> Iterator[Path]:
        """Yield a folder to fill; it becomes the checkpoint of `step`, and the last one, when the block succeeds."""
        folder = self.folder / f"{step:06d}"
        with replacing(folder) as draft:
            yield draft
        point(self.last, folder.name)

    def score(self, step: int, values: Mapping[str, Any]) -> None:
        """Note `success_rate` and `validation_loss` of a step, if they are among `values`."""
        known = {name: values[name] for name in ("success_rate", "validation_loss") if values.get(name) is not None}
        if known:
            scores = self.scores()
            scores[f"{step:06d}"] = scores.get(f"{step:06d}", {}) | known
            write_json(self.folder / SCORES, scores)

    def scores(self) -> dict[str, dict[str, float]]:
        """Give what is known of each step, those whose checkpoints were removed included."""
        path = self.folder / SCORES
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def settle(self) -> None:
        """Let `best` point to the best of the checkpoints that are there, and remove those that are not kept."""
        names = [path.name for path in self.folder.iterdir() if path.name.isdigit() and path.is_dir()]
        there = sorted(names, key=int)
        scores = {name: score for name, score in self.scores().items() if name in there}
        best = max(scores, key=lambda name: _rank(scores[name]), default=None)
        if best:
            point(self.folder / BEST, best)
        kept = {best, self.last.resolve().name, *(there[-self._keep :] if self._keep else there)}
        for name in set(there) - kept:
            old = self.folder / f".{name}.old"
            (self.folder / name).rename(old)
            shutil.rmtree(old)


def _rank(score: Mapping[str, float]) -> tuple[float, float]:
    """More successes are better; among equals, and where none were counted, less loss."""
    return score.get("success_rate", -1.0), -score.get("validation_loss", float("inf"))
