"""Ending a run that no longer gets better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from etude.core.errors import ConfigError
from etude.train.checkpoints import Checkpoints
from etude.train.patience import Patience
from etude.train.watchers import Run, Watcher


class EarlyStopping(Watcher):
    """Ends the run when as many scores in a row as `patience` says were not the best.

    The count is that of all scores the run's folder knows, so a resumed run goes on counting.
    """

    def __init__(self, patience: Patience, say: Callable[[str], None]) -> None:
        self._patience, self._say = patience, say
        self._scores: dict[int, float] = {}

    def begin(self, run: Run) -> None:
        """Read the scores so far; raise `ConfigError` if there will be none, or if there is no patience left."""
        self._run, metric = run, self._patience.metric
        if metric == "validation_loss" and not run.setup.held_out:
            raise ConfigError("--early_stopping.metric=validation_loss needs --holdout_episodes of at least 1.")
        known = Checkpoints(run.config.output_dir, run.config.keep_checkpoints).scores()
        told = {int(step): values[metric] for step, values in known.items() if metric in values}
        self._scores = {step: value for step, value in told.items() if step <= run.step}
        if self._is_over():
            raise ConfigError(f"This run has ended early: {self._reason()}. To go on, raise --early_stopping.patience.")

    def scored(self, kind: str, step: int, values: Mapping[str, Any]) -> None:  # noqa: ARG002  scores of any kind
        """Count, and end the run when it is time."""
        if values.get(self._patience.metric) is None:
            return
        self._scores[step] = float(values[self._patience.metric])
        if self._is_over():
            self._say(f"Stopped early at update {step}: {self._reason()}.")
            self._run.stop(self._reason())

    def _is_over(self) -> bool:
        return self._patience.waited(self._scores)[1] >= self._patience.patience

    def _reason(self) -> str:
        best, since = self._patience.waited(self._scores)
        told = f"the {self._patience.metric.replace('_', ' ')} was best at update {best} ({self._scores[best]:.4g})"
        return f"{told} and {since} scores since were not better"
