"""Who hears of `etude train` besides its bar: trackers, evaluation in simulation, early stopping, a profiler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etude.cli.console import say
from etude.core.errors import UserError

if TYPE_CHECKING:
    from etude.cli.train import Train
    from etude.train.watchers import Watcher


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Rollouts in simulation during a training run."""

    n_episodes: int = 10
    """Rollouts of each evaluation, always in the same scenes, which are others than those of `etude eval`."""

    def __post_init__(self) -> None:
        if self.n_episodes < 1:
            raise UserError(f"--eval.n_episodes should be at least 1, got {self.n_episodes}.")


def watchers_of(command: Train) -> list[Watcher]:
    """Make the watchers that the options ask for; raise `UserError` where those contradict one another."""
    from etude.train.early_stopping import EarlyStopping
    from etude.train.tracking import tracked

    if command.env is None and command.eval_freq:
        raise UserError("--eval_freq needs a place to act: add --env.type=NAME, such as --env.type=pusht.")
    stopping = command.early_stopping
    if stopping.patience and stopping.metric == "success_rate" and command.env is None:
        raise UserError("--early_stopping.metric=success_rate needs rollouts: add --env.type=NAME.")
    watchers = tracked(command.tracking, command.tracking_project, say)
    if command.env is not None:
        from etude.train.in_simulation import InSimulation

        freq = command.eval_freq or command.save_freq
        watchers.append(InSimulation(command.env, freq=freq, n_episodes=command.eval.n_episodes, say=say))
    if stopping.patience:
        watchers.append(EarlyStopping(stopping, say))
    if command.profile:
        from etude.train.profiling import Profile

        watchers.append(Profile(command.profile, say))
    return watchers
