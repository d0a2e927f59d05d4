"""Evaluation in simulation while a policy learns: the loss does not tell whether a skill works, rollouts do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from etude.core.errors import ConfigError
from etude.envs import envs
from etude.envs.env import Env
from etude.rollout.evaluate import evaluate
from etude.rollout.policy_agent import PolicyAgent
from etude.train.watchers import Run, Values, Watcher

FIRST_SCENE = 2_000_000_000
"""Scenes from here on choose checkpoints. Those of `etude eval` are others: a checkpoint that was chosen as the best in
some scenes looks better in these than it is."""


class InSimulation(Watcher):
    """Counts successes at every `freq`-th update and the last one, always in the same scenes; saves a checkpoint there.

    It acts as the checkpoint does, with averaged weights. The checkpoint with most successes becomes the best one.
    """

    def __init__(self, env: Any, *, freq: int, n_episodes: int, say: Callable[[str], None]) -> None:
        """Take the config of an environment."""
        if freq < 1 or n_episodes < 1:
            raise ConfigError(f"eval_freq and eval.n_episodes should be at least 1, got {freq} and {n_episodes}.")
        self._config, self._freq, self._n, self._say = env, freq, n_episodes, say
        self._env: Env | None = None

    def begin(self, run: Run) -> None:
        """Build the environment; raise `ConfigError` or `SpecMismatch` when the policy does not fit there."""
        self._run = run
        env = self._env = envs.build(self._config)
        name = f"the environment {envs.name_of(self._config)}"
        run.setup.loaded.check_fits(env.observation, env.action, name)

    def step(self, step: int, values: Values) -> None:  # noqa: ARG002  the step alone decides
        """Ask for a checkpoint when it is time, so that there is one to be the best."""
        if step % self._freq == 0 and self._run.learns_to_act:
            self._run.save_soon()

    def saved(self, step: int, folder: Path) -> None:  # noqa: ARG002  the policy is at hand
        """Roll out, and report how often it succeeded."""
        is_due = step % self._freq == 0 or self._run.is_over
        if not (is_due and self._run.learns_to_act):
            return
        assert self._env is not None
        with self._run.acting() as loaded:
            coeff = loaded.temporal_ensemble_coeff
            replan = loaded.n_action_steps if coeff is None else 1
            agent = PolicyAgent(loaded, replan=replan, ensemble_coeff=coeff)
            score = evaluate(self._env, agent, seeds=range(FIRST_SCENE, FIRST_SCENE + self._n))
        self._say(f"Update {step}: {score}")
        self._run.report("evaluation", **score.to_json())

    def end(self) -> None:
        """Close the environment."""
        if self._env is not None:
            self._env.close()
            self._env = None
