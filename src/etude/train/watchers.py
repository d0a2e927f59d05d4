"""Those who hear how a training run goes, and may end it: progress bars, events, trackers, evaluations, profilers.

The loop knows none of them. In a run of several processes they live in the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from etude.core.events import EventLog
from etude.policies.loaded import LoadedPolicy
from etude.policies.policy import LearnsInPhases
from etude.train.config import TrainConfig
from etude.train.setup import Setup

Values = Mapping[str, float]


class Watcher:
    """Hears of a training run. A watcher overrides what it wants to hear; nothing it does changes what is learned."""

    def begin(self, run: Run) -> None:
        """Get ready: the run is about to make its first update."""

    def step(self, step: int, values: Values) -> None:
        """Hear of an update: `loss`, its parts, `grad_norm`, `lr`, `samples_per_s`, `spent_s`, `eta_s`."""

    def scored(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Hear of scores, of `validation` or of whatever another watcher reported."""

    def saved(self, step: int, folder: Path) -> None:
        """Hear of a checkpoint, complete and scored."""

    def end(self) -> None:
        """Let go of everything: the run is over, however it ended."""


@dataclass(kw_only=True)
class Run:
    """What a watcher sees of the run, and may do to it."""

    setup: Setup
    log: EventLog
    watchers: Sequence[Watcher]
    on_score: Callable[[int, Mapping[str, Any]], None]
    stop_reason: str = field(default="", init=False)
    _is_save_wanted: bool = field(default=False, init=False)

    @property
    def config(self) -> TrainConfig:
        """The run's config; its folder is `config.output_dir`."""
        return self.setup.config

    @property
    def step(self) -> int:
        """Updates made so far."""
        return self.setup.state.step

    @property
    def is_over(self) -> bool:
        """Whether the update just made was the run's last."""
        return self.setup.is_over

    @property
    def learns_to_act(self) -> bool:
        """Whether updates teach the policy to act; how it scores while it learns something else first tells nothing."""
        policy = self.setup.loaded.policy
        return not isinstance(policy, LearnsInPhases) or not policy.num_updates_before_acting()

    def report(self, kind: str, **values: Any) -> None:
        """Make scores known: to the events, to all watchers, and to whoever keeps the best checkpoint.

        `success_rate` and `validation_loss` decide which checkpoint is the best.
        """
        self.log.write(kind, step=self.step, **values)
        self.on_score(self.step, values)
        for watcher in self.watchers:
            watcher.scored(kind, self.step, values)

    def save_soon(self) -> None:
        """Ask for a checkpoint after this update."""
        self._is_save_wanted = True

    def takes_save_wish(self) -> bool:
        """Tell whether a checkpoint was asked for since the last time."""
        wanted, self._is_save_wanted = self._is_save_wanted, False
        return wanted

    def stop(self, reason: str) -> None:
        """Ask for the run to save and end after this update."""
        self.stop_reason = self.stop_reason or reason

    @contextmanager
    def acting(self) -> Iterator[LoadedPolicy]:
        """Give the policy as a checkpoint of now would act: with averaged weights, where there are any."""
        state = self.setup.state
        origin = replace(self.setup.loaded.origin, step=state.step)
        with state.averaged():
            yield replace(self.setup.loaded, origin=origin)


class Events(Watcher):
    """Writes every `log_freq`-th update into the run's events."""

    def begin(self, run: Run) -> None:
        """Take the run."""
        self._run = run

    def step(self, step: int, values: Values) -> None:
        """Write an update, if it is its turn."""
        if step % self._run.config.log_freq == 0 or self._run.is_over:
            self._run.log.write("step", step=step, **values)
